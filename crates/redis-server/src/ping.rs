//! Checks whether a server is ready, with AUTH and PING.
//!
//! It speaks the protocol itself, because two lines do not justify a Redis client.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The timeout of a check. The next one follows soon.
const TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// The server replies to PING.
    Ready,
    /// The server loads its data.
    Loading,
    /// There is no reply, or the login was refused: another server listens there, or none does yet.
    NotReady,
}

/// Logs in and sends PING.
pub(crate) fn check(address: SocketAddr, user: &str, password: &str) -> Readiness {
    let replies = exchange(address, &format!("AUTH {user} {password}\r\nPING\r\n"));
    match replies
        .as_ref()
        .map(|(auth, ping)| (auth.as_str(), ping.as_str()))
    {
        Ok(("+OK", "+PONG")) => Readiness::Ready,
        Ok((_, ping)) if ping.starts_with("-LOADING") => Readiness::Loading,
        _ => Readiness::NotReady,
    }
}

/// Sends two commands and reads the first line of each reply.
fn exchange(address: SocketAddr, commands: &str) -> Result<(String, String)> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(commands.as_bytes())?;
    let mut lines = BufReader::new(stream);
    let mut line = || -> Result<String> {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    Ok((line()?, line()?))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    /// Returns the result for a server that sends this reply.
    fn check_reply(reply: &'static str) -> Readiness {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            stream.write_all(reply.as_bytes()).expect("sent");
            // Read until the client has closed: unread bytes would reset the connection.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let readiness = check(address, "some-user", "secret");
        server.join().expect("no panic");
        readiness
    }

    #[test]
    fn a_server_is_ready_once_it_replies_to_ping() {
        assert_eq!(check_reply("+OK\r\n+PONG\r\n"), Readiness::Ready);
        assert_eq!(
            check_reply("+OK\r\n-LOADING its data\r\n"),
            Readiness::Loading
        );
        let other_server = "-WRONGPASS no such user\r\n-NOAUTH\r\n";
        assert_eq!(check_reply(other_server), Readiness::NotReady);
        assert_eq!(
            check_reply("-ERR AUTH without any password\r\n+PONG\r\n"),
            Readiness::NotReady
        );
        assert_eq!(
            check_reply("HTTP/1.1 400 Bad Request\r\n\r\n"),
            Readiness::NotReady
        );
    }

    #[test]
    fn a_port_without_a_server_is_not_ready() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        assert_eq!(check(address, "some-user", "secret"), Readiness::NotReady);
    }
}
