//! A small HTTP server that misbehaves on demand.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Gives what is asked for, a range or the whole.
    Serve,
    /// Likewise, but breaks off after so many bytes of the body.
    Cut(usize),
    /// Likewise, but stays silent after so many bytes of the body, with the connection open.
    Stall(usize),
    /// Gives the whole, whatever range is asked for.
    IgnoreRange,
    /// Answers with a status and further header lines.
    Answer(u16, &'static str),
    /// Sends the client to a path of the same server.
    Redirect(&'static str),
    /// Closes the connection without an answer.
    HangUp,
}

/// The server; it ends with the test.
pub struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    body: Vec<u8>,
    /// The header line that identifies the version; empty for none.
    version: String,
    acts: VecDeque<Act>,
    /// The requests so far, head by head.
    requests: Vec<String>,
    /// Connections that are kept open.
    open: Vec<TcpStream>,
}

impl Server {
    /// Serves a body; the acts are for the first requests, later ones are served.
    pub fn new(body: &[u8], version: &str, acts: &[Act]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let state = Arc::new(Mutex::new(State {
            body: body.to_vec(),
            version: version.to_owned(),
            acts: acts.iter().cloned().collect(),
            requests: Vec::new(),
            open: Vec::new(),
        }));
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::clone(&state),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up early is none of the server's business.
                let _ = answer(&state, stream);
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/data.zip", self.port)
    }

    /// Replaces the file.
    pub fn replace(&self, body: &[u8], version: &str) {
        let mut state = self.state.lock().unwrap();
        state.body = body.to_vec();
        state.version = version.to_owned();
    }

    /// One header of each request so far; empty where it was not sent.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let value = |head: &String| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        state.requests.iter().map(value).collect()
    }
}

fn answer(state: &Mutex<State>, mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while reader.read_line(&mut head)? > 0 && !head.ends_with("\r\n\r\n") {}
    let mut state = state.lock().unwrap();
    let act = state.acts.pop_front().unwrap_or(Act::Serve);
    let range = range(&head, &state.version);
    state.requests.push(head);
    if matches!(act, Act::Stall(_)) {
        state.open.push(stream.try_clone()?);
    }
    let (start, limit) = match act {
        Act::HangUp => return Ok(()),
        Act::Answer(status, lines) => {
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Act::Redirect(path) => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Act::Serve => (range, usize::MAX),
        Act::Cut(bytes) | Act::Stall(bytes) => (range, bytes),
        Act::IgnoreRange => (None, usize::MAX),
    };
    let all = state.body.len();
    if start.is_some_and(|start| start >= all) {
        return write!(
            stream,
            "HTTP/1.1 416 No\r\nContent-Range: bytes */{all}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let part = &state.body[start.unwrap_or(0)..];
    let first = match start {
        Some(start) => format!(
            "206 Partial Content\r\nContent-Range: bytes {start}-{}/{all}",
            all - 1
        ),
        None => "200 OK".to_owned(),
    };
    let version = match state.version.as_str() {
        "" => String::new(),
        version => format!("{version}\r\n"),
    };
    write!(
        stream,
        "HTTP/1.1 {first}\r\n{version}Content-Length: {}\r\nConnection: close\r\n\r\n",
        part.len()
    )?;
    stream.write_all(&part[..limit.min(part.len())])
}

/// The first byte that is asked for, if the condition holds.
fn range(head: &str, version: &str) -> Option<usize> {
    let value = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let start = value("range")?.strip_prefix("bytes=")?.strip_suffix('-')?;
    let current = version.split_once(": ").map(|(_, value)| value);
    let holds = value("if-range").is_none_or(|condition| Some(condition) == current);
    holds.then(|| start.parse().ok())?
}
