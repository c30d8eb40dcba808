//! Server-sent events, as providers stream their answers.

/// Bytes of one event: an answer in a single piece.
const EVENT_BYTES_MAX: usize = 4 << 20;

/// Cuts bytes into events, however they come.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// What came last.
    rest: Vec<u8>,
    /// Where the next line begins in it.
    from: usize,
    /// How far it was looked through.
    seen: usize,
    data: String,
}

/// A stream that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadEvents {
    /// An event without an end.
    #[error("an event of the stream is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// Not text.
    #[error("the stream is not UTF-8")]
    NotText,
}

impl Events {
    /// Takes more bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), BadEvents> {
        self.rest.drain(..self.from);
        self.seen = self.seen.saturating_sub(self.from);
        self.from = 0;
        self.rest.extend_from_slice(bytes);
        let long = self.rest.len().saturating_add(self.data.len()) > EVENT_BYTES_MAX;
        if long { Err(BadEvents::TooLong) } else { Ok(()) }
    }

    /// The data of the next whole event.
    pub(super) fn next(&mut self) -> Result<Option<String>, BadEvents> {
        while let Some(line) = self.line() {
            let line = String::from_utf8(line).map_err(|_| BadEvents::NotText)?;
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() {
                if !self.data.is_empty() {
                    return Ok(Some(std::mem::take(&mut self.data)));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
            // The kinds of events repeat what their data says; the rest is for reconnecting.
        }
        Ok(None)
    }

    /// What is left at the end of a stream whose last event lacks its empty line.
    pub(super) fn last(&mut self) -> Result<Option<String>, BadEvents> {
        self.rest.extend_from_slice(b"\n\n");
        self.next()
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let unseen = self.rest.get(self.seen..).unwrap_or_default();
        match unseen.iter().position(|byte| *byte == b'\n') {
            None => {
                self.seen = self.rest.len();
                None
            }
            Some(at) => {
                let end = self.seen.saturating_add(at);
                let line = self.rest.get(self.from..end).map(<[u8]>::to_vec);
                self.from = end.saturating_add(1);
                self.seen = self.from;
                line
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\r\nevent: a\r\ndata: {\"x\":1}\r\n\r\ndata:one\ndata: two\n\n\
                          id: 7\nretry: 9\n\ndata: [DONE]";

    #[test]
    fn events_are_the_same_however_they_come() {
        let whole = ["{\"x\":1}", "one\ntwo", "[DONE]"];
        for size in 1..STREAM.len() {
            let (mut events, mut found) = (Events::default(), Vec::new());
            for bytes in STREAM.as_bytes().chunks(size) {
                events.push(bytes).unwrap();
                while let Some(data) = events.next().unwrap() {
                    found.push(data);
                }
            }
            found.extend(events.last().unwrap());
            assert_eq!(found, whole, "in pieces of {size}");
        }
    }

    /// Each line is looked at once: where all that is left were copied for each, this would take
    /// hours.
    #[test]
    fn a_piece_of_many_lines_is_read_in_one_go() {
        let mut events = Events::default();
        events.push(&vec![b'\n'; EVENT_BYTES_MAX]).unwrap();
        assert_eq!(events.next(), Ok(None));
        events.push(b"data: x\n\n").unwrap();
        assert_eq!(events.next(), Ok(Some("x".to_owned())));
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let mut events = Events::default();
        assert_eq!(events.push(&vec![b'x'; EVENT_BYTES_MAX + 1]), Err(BadEvents::TooLong));
        let mut events = Events::default();
        events.push(b"data: \xff\n\n").unwrap();
        assert_eq!(events.next(), Err(BadEvents::NotText));
    }
}
