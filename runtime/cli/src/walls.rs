//! The proof that the walls stand, before anything is let in.

use envelope_engine::config::Machine;
use envelope_engine::local::Keys;
use envelope_engine::walls::{Wall, prove};
use zeroize::Zeroizing;

use crate::answer::Trouble;
use crate::fresh::fresh;
use crate::guest;

const HINT: &str = "let nothing run here: `envelope doctor` tells more, and please tell us";

/// What a guest met at every wall. Its grant is signed by a key that is thrown away.
pub(crate) async fn tried(machine: &Machine) -> Result<Vec<Wall>, Trouble> {
    let fresh = fresh(None).map_err(|why| Trouble::failed(why, "try again"))?;
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(|why| Trouble::failed(why, "try again"))?;
    let proof = prove(&guest::components(machine), &fresh, &Keys { grants: secret }).await;
    proof.map_err(|why| Trouble::failed(why, HINT))
}

/// Refuses to go on where a wall has fallen.
pub(crate) async fn stand(machine: &Machine) -> Result<(), Trouble> {
    match tried(machine).await?.into_iter().find(|wall| !wall.stands) {
        None => Ok(()),
        Some(Wall { name, met, .. }) => {
            Err(Trouble::failed(format!("a wall has fallen, {name}: {met}"), HINT))
        }
    }
}
