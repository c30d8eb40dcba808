//! A peer on a real socket: it keeps every byte it hears, and answers by the path.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_evidence::Digest;

/// How long a peer listens for the rest of a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a request waits for others to come.
const MEETING: Duration = Duration::from_secs(3);

/// A listener, and what it heard: one entry for each connection.
pub struct Peer {
    pub address: IpAddr,
    pub port: u16,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
}

/// Requests that wait for each other: how many are there, and how many were at most.
#[derive(Default)]
struct Meeting {
    there: AtomicUsize,
    most: AtomicUsize,
}

impl Meeting {
    /// Whether `count` of them were there at once, sooner or later.
    fn of(&self, count: usize) -> bool {
        let there = self.there.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(there, Ordering::SeqCst);
        let late = Instant::now() + MEETING;
        let met = || self.most.load(Ordering::SeqCst) >= count;
        while !met() && Instant::now() < late {
            thread::sleep(Duration::from_millis(2));
        }
        self.there.fetch_sub(1, Ordering::SeqCst);
        met()
    }
}

/// What is spoken over a connection.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Makes of a connection what is spoken over it.
pub type Wrap = Arc<dyn Fn(TcpStream) -> Box<dyn Stream> + Send + Sync>;

impl Peer {
    /// A peer in clear.
    pub fn start(address: IpAddr) -> Self {
        Self::wrapped(SocketAddr::new(address, 0), Arc::new(|stream| Box::new(stream)))
    }

    /// A peer at `place` that speaks as `wrap` says.
    pub fn wrapped(place: SocketAddr, wrap: Wrap) -> Self {
        let listener = TcpListener::bind(place).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (all, over) = (Arc::clone(&heard), Arc::clone(&stop));
        thread::spawn(move || accept(&listener, &all, &over, &wrap));
        Self { address: place.ip(), port, heard, stop }
    }

    /// `127.0.0.1:4711`
    pub fn authority(&self) -> String {
        SocketAddr::new(self.address, self.port).to_string()
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// The bodies that were heard, also those that broke off.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().iter().map(|heard| body_of(heard)).collect()
    }

    /// Everything that was heard, connection by connection.
    pub fn heard(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect((self.address, self.port));
    }
}

fn accept(
    listener: &TcpListener,
    all: &Arc<Mutex<Vec<Vec<u8>>>>,
    over: &Arc<AtomicBool>,
    wrap: &Wrap,
) {
    let meeting = Arc::new(Meeting::default());
    for stream in listener.incoming() {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let place = {
            let mut all = all.lock().unwrap();
            all.push(Vec::new());
            all.len() - 1
        };
        let (all, over, wrap) = (Arc::clone(all), Arc::clone(over), Arc::clone(wrap));
        let meeting = Arc::clone(&meeting);
        thread::spawn(move || {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut stream = wrap(stream);
            let hear = |bytes: &[u8]| all.lock().unwrap()[place].extend_from_slice(bytes);
            let heard = |size| heard_of(&all, place, size);
            let Some(request) = listen(&mut *stream, hear) else { return };
            let _ = answer(&request, &mut *stream, &over, &meeting, heard);
        });
    }
}

/// Reads one request, head and body.
fn listen(stream: &mut dyn Stream, hear: impl Fn(&[u8])) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.trim().parse().unwrap());
            let whole = match head.contains("transfer-encoding: chunked") {
                true => request.ends_with(b"\r\n0\r\n\r\n"),
                false => request.len() >= end + 4 + length,
            };
            // Some peers do not listen to what they are sent.
            if whole || head.contains("/v1/stuck") || head.contains("/v1/early") {
                return Some(request);
            }
        }
        match stream.read(&mut piece) {
            Ok(0) => return None,
            Ok(count) => {
                hear(&piece[..count]);
                request.extend_from_slice(&piece[..count]);
            }
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// What the peer says, by the second segment of the path.
fn answer(
    request: &[u8],
    to: &mut dyn Stream,
    over: &AtomicBool,
    meeting: &Meeting,
    heard: impl Fn(usize) -> bool,
) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(request);
    let path = text.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let mut segments = path.trim_start_matches('/').split('/').skip(1);
    let (what, size) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let size: usize = size.parse().unwrap_or(0);
    match what {
        "echo" => plain(to, request),
        "echo-pieces" => echo_pieces(to, request),
        "echo-header" => {
            let value = text.lines().find_map(|line| line.strip_prefix("authorization: "));
            let value = value.unwrap_or("none").to_owned();
            write!(to, "HTTP/1.1 302 Found\r\nlocation: /?{value}\r\ncontent-length: 0\r\n\r\n")
        }
        "echo-base64" => {
            let value = text.lines().find_map(|line| line.strip_prefix("authorization: "));
            plain(to, STANDARD.encode(format!("a{}", value.unwrap_or("none"))).as_bytes())
        }
        "bytes" => plain(to, &vec![b'x'; size]),
        "redirect" => {
            let to_where = "location: http://evil.test/\r\ncontent-length: 4\r\n";
            write!(to, "HTTP/1.1 302 Found\r\n{to_where}\r\naway")
        }
        "binary" => plain(to, &(0..=255).collect::<Vec<u8>>()),
        "hop" => {
            let own = "connection: keep-alive\r\nkeep-alive: 5\r\nenvelope-denied: egress.host\r\n";
            write!(to, "HTTP/1.1 200 OK\r\n{own}x-kept: 1\r\ncontent-length: 2\r\n\r\nok")
        }
        "latin" => to.write_all(b"HTTP/1.1 200 OK\r\nx-name: caf\xe9\r\ncontent-length: 0\r\n\r\n"),
        "endless" => endless(to, over),
        "drip" => drip(to, over),
        "short" => write!(to, "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\nshort"),
        "digest" => {
            let body = body_of(request);
            plain(to, format!("{} {}", body.len(), Digest::of(&body)).as_bytes())
        }
        "heard" => plain(to, if heard(size) { b"heard" } else { b"not heard" }),
        "silent" | "stuck" => {
            while !over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        }
        "early" => {
            plain(to, b"early")?;
            std::io::copy(to, &mut std::io::sink()).map(|_| ())
        }
        "late" => {
            thread::sleep(Duration::from_millis(u64::try_from(size).unwrap()));
            plain(to, b"hello")
        }
        "status" => write!(to, "HTTP/1.1 {size} As asked\r\ncontent-length: 0\r\n\r\n"),
        "meet" => plain(to, if meeting.of(size) { b"met" } else { b"alone" }),
        "raw" => raw(to, path.rsplit('/').next().unwrap_or_default()),
        _ => plain(to, b"hello"),
    }
}

/// Whether so many bytes are heard over one of the other connections, sooner or later.
fn heard_of(all: &Mutex<Vec<Vec<u8>>>, own: usize, size: usize) -> bool {
    let late = Instant::now() + MEETING;
    let there = || {
        let all = all.lock().unwrap();
        all.iter().enumerate().any(|(place, heard)| place != own && heard.len() >= size)
    };
    while !there() && Instant::now() < late {
        thread::sleep(Duration::from_millis(2));
    }
    there()
}

/// The body of a request, out of its chunks if it comes in any.
pub fn body_of(request: &[u8]) -> Vec<u8> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, mut rest) = request.split_at(end + 4);
    if !String::from_utf8_lossy(head).contains("transfer-encoding: chunked") {
        return rest.to_vec();
    }
    let mut body = Vec::new();
    while let Some(line) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap().min(rest.len() - line - 2);
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = rest.get(line + 2 + size + 2..).unwrap_or_default();
    }
    body
}

fn plain(to: &mut dyn Stream, body: &[u8]) -> std::io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())?;
    to.write_all(body)?;
    to.flush()
}

/// Says back what it heard a few bytes at a time.
fn echo_pieces(to: &mut dyn Stream, body: &[u8]) -> std::io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    for piece in body.chunks(3) {
        write!(to, "{:x}\r\n", piece.len())?;
        to.write_all(piece)?;
        to.write_all(b"\r\n")?;
        to.flush()?;
        thread::sleep(Duration::from_millis(1));
    }
    to.write_all(b"0\r\n\r\n")
}

fn endless(to: &mut dyn Stream, over: &AtomicBool) -> std::io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    let piece = [b'x'; 4096];
    while !over.load(Ordering::SeqCst) {
        to.write_all(b"1000\r\n")?;
        to.write_all(&piece)?;
        to.write_all(b"\r\n")?;
    }
    Ok(())
}

/// A byte now and then.
fn drip(to: &mut dyn Stream, over: &AtomicBool) -> std::io::Result<()> {
    write!(to, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    while !over.load(Ordering::SeqCst) {
        to.write_all(b"1\r\nx\r\n")?;
        to.flush()?;
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Answers that are none.
fn raw(to: &mut dyn Stream, which: &str) -> std::io::Result<()> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let text = match which {
        "junk" => "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(),
        "status" => "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
        "http09" => "hello".to_owned(),
        "h2" => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "upgrade" => {
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\nx"
                .to_owned()
        }
        "two-lengths" => format!("{ok}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"),
        "plus-length" => format!("{ok}content-length: +5\r\n\r\nhello"),
        "list-length" => format!("{ok}content-length: 5, 6\r\n\r\nhello"),
        "chunk-size" => {
            format!(
                "{ok}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n0\r\n\r\n"
            )
        }
        "nul" => format!("{ok}x-a: b\0c\r\ncontent-length: 0\r\n\r\n"),
        "fold" => format!("{ok}x-a: b\r\n c\r\ncontent-length: 0\r\n\r\n"),
        "space" => format!("{ok}transfer-encoding : chunked\r\ncontent-length: 0\r\n\r\n"),
        "many" => {
            let many: String = (0..1000).map(|at| format!("x-{at}: y\r\n")).collect();
            format!("{ok}{many}content-length: 0\r\n\r\n")
        }
        "large" => format!("{ok}x-a: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(1 << 20)),
        "early-hints" => {
            let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3);
            format!("{hints}{ok}content-length: 2\r\n\r\nok")
        }
        "trailers" => {
            let many: String = (0..1000).map(|at| format!("x-{at}: y\r\n")).collect();
            format!("{ok}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n{many}\r\n")
        }
        "gzip" => format!("{ok}content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\u{1f}gz!"),
        _ => String::new(),
    };
    to.write_all(text.as_bytes())?;
    to.flush()
}
