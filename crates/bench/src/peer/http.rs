//! The little of HTTP/1.1 that it takes: a request whose body has a length, and an answer like that.

use std::fmt::Write;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// A request, as it goes over the wire, without the empty line and the body.
pub(super) struct Request {
    head: String,
    body: String,
}

impl Request {
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self {
            head: format!("{method} {path} HTTP/1.1\r\nhost: peer\r\n"),
            body: String::new(),
        }
    }

    pub(super) fn authorization(mut self, token: &str) -> Self {
        // Writing to a string cannot fail.
        let _ = write!(self.head, "authorization: Bearer {token}\r\n");
        self
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        let length = self.body.len();
        let _ = write!(
            self.head,
            "content-type: application/json\r\ncontent-length: {length}\r\n"
        );
        self
    }
}

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::new(),
        })
    }

    /// Sends a request; answers the body. An answer whose status is not 200 is an error.
    pub(super) async fn call(&mut self, request: &Request) -> Result<Vec<u8>> {
        let bytes = [&request.head, "\r\n", &request.body].concat();
        self.stream.write_all(bytes.as_bytes()).await?;
        loop {
            if let Some((answer, length)) = parse(&self.received) {
                let answer = match answer.status {
                    200 => Ok(answer.body.to_vec()),
                    status => {
                        let body = String::from_utf8_lossy(answer.body);
                        Err(format!("status {status}: {body}").into())
                    }
                };
                self.received.drain(..length);
                return answer;
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }
}

#[derive(Debug, PartialEq)]
struct Answer<'a> {
    status: u16,
    body: &'a [u8],
}

/// The first answer in these bytes and how long it is; `None` = it is not complete yet.
fn parse(bytes: &[u8]) -> Option<(Answer<'_>, usize)> {
    const END: &[u8] = b"\r\n\r\n";
    let body_at = bytes.windows(END.len()).position(|window| window == END)? + END.len();
    let head = String::from_utf8_lossy(&bytes[..body_at]);
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let end = body_at + length.unwrap_or_default();
    let body = bytes.get(body_at..end)?;
    Some((Answer { status, body }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_when_its_whole_body_is_there() {
        let bytes = b"HTTP/1.1 201 Created\r\nserver: x\r\nContent-Length: 5\r\n\r\nhelloHTTP";
        let whole = bytes.len() - "HTTP".len();
        for cut in 0..whole {
            assert_eq!(parse(&bytes[..cut]), None, "{cut}");
        }
        let body: &[u8] = b"hello";
        assert_eq!(parse(bytes), Some((Answer { status: 201, body }, whole)));
    }
}
