//! Asking the rules: may it happen, and may it happen again?

use envelope_evidence::journal::{Begun, Recovery};
use envelope_rules::denial::{Code, Denial};
use envelope_rules::grant::Standing;
use envelope_rules::guard::{self, Authority, Call, Permit};

use super::{Authorities, Gate};
use crate::request::Request;
use crate::stop::Stop;

impl Gate {
    pub(super) fn admit(&mut self, request: &Request<'_>) -> Result<Result<Permit, Denial>, Stop> {
        let Request { act, worst, digest, found, .. } = *request;
        let call = Call { act, worst, request: digest, found };
        let standing = self.standing();
        let (now, authority) = (self.now, standing.as_ref());
        let authority = authority_of(&self.parts.authorities, authority);
        Ok(guard::admit(&call, &authority, &mut self.parts.meter, now))
    }

    pub(super) fn readmit(
        &mut self,
        request: &Request<'_>,
        begun: &Begun,
    ) -> Result<Result<Permit, Denial>, Stop> {
        match begun.recovery {
            // What was set aside for it is not booked yet: it is now.
            Recovery::Again | Recovery::SameKey => match self.unasked(request) {
                Some(denial) => Ok(Err(denial)),
                None => self.admit(request),
            },
            Recovery::Once => {
                let what = format_args!("{} {}", begun.call.capability, begun.call.operation);
                Err(Stop::Denied(Denial::new(Code::HumanDecides, what)))
            }
        }
    }

    pub(super) fn standing(&self) -> Option<crate::world::GrantState> {
        let grant = self.parts.authorities.grant.as_ref()?;
        Some(self.parts.world.standing(grant.claims().jti.as_str()))
    }

    pub(super) fn authority<'a>(&'a self, standing: Standing<'a>) -> Authority<'a> {
        let Authorities { operator, warrant, grant, keys } = &self.parts.authorities;
        Authority { operator, warrant, grant: grant.as_ref(), keys, standing }
    }
}

fn authority_of<'a>(
    authorities: &'a Authorities,
    standing: Option<&'a crate::world::GrantState>,
) -> Authority<'a> {
    let Authorities { operator, warrant, grant, keys } = authorities;
    let standing = Standing {
        bound_run: standing.and_then(|state| state.bound_run.as_deref()),
        revoked: standing.is_none_or(|state| state.revoked),
    };
    Authority { operator, warrant, grant: grant.as_ref(), keys, standing }
}
