//! Redis's protocol, as far as a benchmark needs it.

use std::fmt::Write;

use redis_server::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// An answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply<'a> {
    Text(&'a [u8]),
    Number(i64),
    List(Vec<Reply<'a>>),
    Nothing,
    Error(&'a [u8]),
}

/// The first answer in these bytes and how long it is; `None` = it is not complete yet.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Reply<'_>, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (kind, line) = bytes[..end].split_first()?;
    let after = end + 2;
    let number = || std::str::from_utf8(line).ok()?.parse::<i64>().ok();
    Some(match kind {
        b'+' => (Reply::Text(line), after),
        b':' => (Reply::Number(number().unwrap_or_default()), after),
        b'$' | b'*' => match (kind, usize::try_from(number().unwrap_or(-1))) {
            (_, Err(_)) => (Reply::Nothing, after),
            (b'$', Ok(length)) => {
                let text = bytes.get(after..after + length)?;
                bytes.get(after + length..after + length + 2)?;
                (Reply::Text(text), after + length + 2)
            }
            (_, Ok(count)) => {
                let mut items = Vec::with_capacity(count);
                let mut at = after;
                for _ in 0..count {
                    let (item, length) = parse(&bytes[at..])?;
                    items.push(item);
                    at += length;
                }
                (Reply::List(items), at)
            }
        },
        _ => (Reply::Error(line), after),
    })
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects and signs in as this user of the ACL.
    pub(crate) async fn open(redis: &RedisServer, user: &str) -> Result<Self> {
        let url = redis.url_for(user).ok_or("the ACL has no such user")?;
        // redis://user:password@host:port
        let login = url.rsplit_once('@').map_or("", |(login, _)| login);
        let password = login.rsplit_once(':').map_or("", |(_, password)| password);
        let stream = TcpStream::connect(redis.address()).await?;
        stream.set_nodelay(true)?;
        let mut connection = Self {
            stream,
            received: Vec::new(),
        };
        connection.ask(&["AUTH", user, password]).await?;
        Ok(connection)
    }

    /// Sends a command; answers the text that comes back.
    pub(crate) async fn ask(&mut self, command: &[&str]) -> Result<String> {
        let mut bytes = format!("*{}\r\n", command.len());
        for word in command {
            write!(bytes, "${}\r\n{word}\r\n", word.len())?;
        }
        self.send(bytes.as_bytes()).await?;
        let mut text = Err("redis answered nothing".into());
        self.receive(1, |reply| {
            text = match reply {
                Reply::Text(text) => Ok(String::from_utf8_lossy(text).into_owned()),
                other => Err(format!("redis answered {other:?}").into()),
            };
        })
        .await?;
        text
    }

    /// Sends commands that are written in the protocol already.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Receives so many answers and shows each of them.
    pub(crate) async fn receive(
        &mut self,
        count: usize,
        mut show: impl FnMut(Reply<'_>),
    ) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let mut at = 0;
            while left > 0
                && let Some((reply, length)) = parse(&self.received[at..])
            {
                show(reply);
                at += length;
                left -= 1;
            }
            self.received.drain(..at);
            if left > 0 && self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("redis closed the connection".into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_answer_is_understood() {
        let bytes = b"*5\r\n+OK\r\n:42\r\n$2\r\n\r\n\r\n$-1\r\n-ERR no\r\n+next";
        let items = vec![
            Reply::Text(b"OK"),
            Reply::Number(42),
            Reply::Text(b"\r\n"),
            Reply::Nothing,
            Reply::Error(b"ERR no"),
        ];
        assert_eq!(parse(bytes), Some((Reply::List(items), bytes.len() - 5)));
    }

    #[test]
    fn an_answer_that_is_cut_anywhere_is_not_complete() {
        let bytes = b"*2\r\n$5\r\nhello\r\n*1\r\n:7\r\n";
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), None, "{cut}");
        }
        assert!(parse(bytes).is_some());
    }
}
