//! Names of interfaces and their lines of releases.

/// Whether whoever knows the interface `offered` can do with `wanted`: the same interface, of the
/// same line of releases. Releases of a line differ in what was added, and the engine links by
/// line.
pub fn compatible(wanted: &str, offered: &str) -> bool {
    let (wanted, offered) = (Name::read(wanted), Name::read(offered));
    wanted.interface == offered.interface && wanted.line == offered.line
}

/// A name and the line of its version: the part up to the first number that is not zero, as Cargo
/// has it. What is no version, or comes before one, is a line of its own.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    interface: &'a str,
    line: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn read(name: &'a str) -> Self {
        match name.split_once('@') {
            Some((interface, version)) => Self { interface, line: Some(line(version)) },
            None => Self { interface: name, line: None },
        }
    }
}

fn line(version: &str) -> &str {
    let release = version.split_once('+').map_or(version, |(release, _)| release);
    let mut end = 0;
    for part in release.split('.') {
        if part.parse::<u64>().is_err() {
            return release;
        }
        end += part.len();
        if part != "0" {
            let rest = release.get(end..).unwrap_or_default();
            let plain = rest.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
            return if plain { release.get(..end).unwrap_or(release) } else { release };
        }
        end += 1;
    }
    release
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_a_line_are_compatible() {
        for (a, b, same) in [
            ("wasi:io/poll@0.2.0", "wasi:io/poll@0.2.12", true),
            ("wasi:io/poll@0.2.12", "wasi:io/poll@0.2.0", true),
            ("wasi:io/poll@0.2.0", "wasi:io/poll@0.3.0", false),
            ("wasi:io/poll@0.2.0", "wasi:io/streams@0.2.0", false),
            ("wasi:io/poll@0.20.0", "wasi:io/poll@0.2.0", false),
            ("a:b/c@1.2.3", "a:b/c@1.9.0", true),
            ("a:b/c@1.2.3", "a:b/c@10.2.3", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.1", true),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0", false),
            ("a:b/c@1.0.0-rc.1", "a:b/c@1.0.0-rc.1", true),
            ("a:b/c@1.0.0+one", "a:b/c@1.0.0+two", true),
            ("a:b/c", "a:b/c", true),
            ("a:b/c", "a:b/c@1.0.0", false),
            ("a:b/c@", "a:b/c@0.2.0", false),
        ] {
            assert_eq!(compatible(a, b), same, "{a} {b}");
        }
    }
}
