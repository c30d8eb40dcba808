//! A rule on one line, as people write it: `GET,HEAD https://api.example.org:8443/v1/**?page&size`.
//!
//! Methods, scheme, host, port, path pattern; then `?*` for any query, or the keys it may have. A
//! port that is the scheme's own is left out.

use std::fmt;
use std::str::FromStr;

use super::rule::{QueryRule, RuleDocument};
use super::target::{Scheme, Target};

/// A line that is not a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRuleText {
    /// No method and URL.
    #[error("a rule is a method, a space and a URL: `GET https://api.example.org/v1/**`")]
    Shape,
    /// No scheme that can be spoken.
    #[error("a rule's URL starts with `https://` or `http://`")]
    Scheme,
    /// No path.
    #[error("a rule names its paths: `/**` after the host means all of them")]
    Path,
    /// A port that is none.
    #[error("a port is 1 to 65535")]
    Port,
}

impl RuleDocument {
    /// A rule that admits `target`, and besides it only what differs in the query: that is not
    /// repeated, because its keys and its values may be secrets. None where the path holds a `*`,
    /// which in a rule would stand for other paths too.
    pub fn of(target: &Target) -> Option<Self> {
        if target.path().contains('*') {
            return None;
        }
        let scheme = target.scheme();
        let own = target.port() == scheme.port();
        Some(Self {
            schemes: vec![scheme],
            host: target.host().to_string(),
            ports: if own { Vec::new() } else { vec![target.port()] },
            methods: vec![target.method().as_str().to_owned()],
            paths: vec![target.path().to_owned()],
            query: target.query().map_or(QueryRule::None, |_| QueryRule::Any),
        })
    }
}

impl FromStr for RuleDocument {
    type Err = BadRuleText;

    fn from_str(text: &str) -> Result<Self, BadRuleText> {
        let (methods, url) = text.trim().split_once(' ').ok_or(BadRuleText::Shape)?;
        let (scheme, rest) = url.trim_start().split_once("://").ok_or(BadRuleText::Scheme)?;
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(BadRuleText::Scheme),
        };
        let slash = rest.find('/').ok_or(BadRuleText::Path)?;
        let (authority, path) = rest.split_at_checked(slash).ok_or(BadRuleText::Path)?;
        let (host, ports) = split_port(authority)?;
        let (path, query) = match path.split_once('?') {
            None => (path, QueryRule::None),
            Some((path, "*")) => (path, QueryRule::Any),
            Some((path, keys)) => {
                (path, QueryRule::Only(keys.split('&').map(str::to_owned).collect()))
            }
        };
        Ok(Self {
            schemes: vec![scheme],
            host: host.to_owned(),
            ports: ports.into_iter().filter(|port| *port != scheme.port()).collect(),
            methods: methods.split(',').map(str::to_owned).collect(),
            paths: vec![path.to_owned()],
            query,
        })
    }
}

/// One line for each scheme, port and path, for rules that were not written on one.
impl fmt::Display for RuleDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let ports: Vec<_> = if self.ports.is_empty() {
            vec![None]
        } else {
            self.ports.iter().copied().map(Some).collect()
        };
        for scheme in &self.schemes {
            for port in &ports {
                for path in &self.paths {
                    if !std::mem::replace(&mut first, false) {
                        f.write_str("\n")?;
                    }
                    write!(f, "{} {scheme}://{}", self.methods.join(","), self.host)?;
                    port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
                    f.write_str(path)?;
                    match &self.query {
                        QueryRule::None => {}
                        QueryRule::Any => f.write_str("?*")?,
                        QueryRule::Only(keys) => write!(f, "?{}", keys.join("&"))?,
                    }
                }
            }
        }
        Ok(())
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), BadRuleText> {
    let after_host = authority.rfind(']').unwrap_or(0);
    match authority.rfind(':').filter(|&at| at >= after_host) {
        Some(at) => {
            let (host, port) = authority.split_at_checked(at).ok_or(BadRuleText::Shape)?;
            let port = port.strip_prefix(':').unwrap_or(port).parse().ok();
            let port = port.filter(|port| *port != 0).ok_or(BadRuleText::Port)?;
            Ok((host, Some(port)))
        }
        None => Ok((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::policy::{Policy, PolicyDocument};

    fn policy(text: &str) -> Policy {
        let rules = vec![text.parse().unwrap()];
        Policy::compile(PolicyDocument { rules }).unwrap()
    }

    #[test]
    fn a_line_says_what_it_says_again() {
        for text in [
            "GET https://api.example.org/v1/**",
            "GET,HEAD http://127.0.0.1:8080/",
            "POST https://[2606:4700::1111]/v1?*",
            "GET https://*.example.org:8443/v1/*?page&size",
        ] {
            let rule: RuleDocument = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        let own: RuleDocument = "GET https://a.example.org:443/".parse().unwrap();
        assert_eq!(own.to_string(), "GET https://a.example.org/");
    }

    #[test]
    fn what_is_no_line_is_told_apart() {
        for (text, why) in [
            ("https://a.example.org/", BadRuleText::Shape),
            ("GET ftp://a.example.org/", BadRuleText::Scheme),
            ("GET a.example.org/", BadRuleText::Scheme),
            ("GET https://a.example.org", BadRuleText::Path),
            ("GET https://a.example.org:0/", BadRuleText::Port),
            ("GET https://a.example.org:x/", BadRuleText::Port),
        ] {
            assert_eq!(text.parse::<RuleDocument>(), Err(why), "{text}");
        }
    }

    /// What a denial says is missing is what would have let the request through.
    #[test]
    fn the_rule_of_a_target_admits_it() {
        for url in [
            "https://api.example.org/v1/a",
            "http://api.example.org:8080/?q=1",
            "https://[2606:4700::1111]:8443/v1/a%20b",
        ] {
            let target = Target::parse("GET", url).unwrap();
            let line = RuleDocument::of(&target).unwrap().to_string();
            assert!(policy(&line).admit(&target).is_ok(), "{line}");
            let other = Target::parse("POST", url).unwrap();
            assert!(policy(&line).admit(&other).is_err(), "{line}");
        }
    }

    /// A guest that sends a pattern is not told to ask for all that it stands for.
    #[test]
    fn a_star_in_a_path_is_not_made_a_pattern() {
        for path in ["/v1/**", "/v1/a*", "/*"] {
            let target = Target::parse("GET", &format!("https://a.example.org{path}")).unwrap();
            assert_eq!(RuleDocument::of(&target), None, "{path}");
        }
        let query = Target::parse("GET", "https://a.example.org/v1?a=*").unwrap();
        assert!(RuleDocument::of(&query).is_some(), "in a query it stands for nothing else");
    }
}
