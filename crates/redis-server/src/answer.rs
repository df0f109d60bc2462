//! Whether a server answers: a tiny exchange in Redis's protocol.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long one answer may take. The next try comes soon.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It answers PING.
    Ready,
    /// It reads its data.
    Loading,
    /// Nothing, or that it knows no such user: it is another server, or not there yet.
    Nothing,
}

/// Signs in and sends PING.
pub(crate) fn ask(address: SocketAddr, user: &str, password: &str) -> Answer {
    let answers = exchange(address, &format!("AUTH {user} {password}\r\nPING\r\n"));
    match answers
        .as_ref()
        .map(|(auth, ping)| (auth.as_str(), ping.as_str()))
    {
        Ok(("+OK", "+PONG")) => Answer::Ready,
        Ok((_, ping)) if ping.starts_with("-LOADING") => Answer::Loading,
        _ => Answer::Nothing,
    }
}

/// Sends two commands and reads the first line of each answer.
fn exchange(address: SocketAddr, commands: &str) -> Result<(String, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
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

    /// What is understood when a server says this.
    fn understood(said: &'static str) -> Answer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            stream.write_all(said.as_bytes()).expect("said");
            // Until the client has gone: what it sent is read, so that nothing is reset.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let answer = ask(address, "somebody", "secret");
        server.join().expect("no panic");
        answer
    }

    #[test]
    fn what_a_server_says_is_understood() {
        assert_eq!(understood("+OK\r\n+PONG\r\n"), Answer::Ready);
        assert_eq!(understood("+OK\r\n-LOADING its data\r\n"), Answer::Loading);
        let stranger = "-WRONGPASS no such user\r\n-NOAUTH\r\n";
        assert_eq!(understood(stranger), Answer::Nothing);
        assert_eq!(
            understood("-ERR AUTH without any password\r\n+PONG\r\n"),
            Answer::Nothing
        );
        assert_eq!(
            understood("HTTP/1.1 400 Bad Request\r\n\r\n"),
            Answer::Nothing
        );
    }

    #[test]
    fn nobody_says_nothing() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        drop(listener);
        assert_eq!(ask(address, "somebody", "secret"), Answer::Nothing);
    }
}
