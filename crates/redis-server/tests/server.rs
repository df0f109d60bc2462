//! A real server is started, killed, frozen and stopped.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use redis_server::{Options, RedisServer};
use tempfile::TempDir;

const ACL: &str = "user default off ~* &* +@all\nuser some-body on #@SOME_BODY_SHA256@ ~* &* +@all";

fn options(folder: &TempDir) -> Options {
    Options {
        program: std::env::var_os("STARTLIST_TEST_REDIS_SERVER").map(Into::into),
        data_dir: folder.path().to_owned(),
        acl: ACL.to_owned(),
        ..Options::default()
    }
}

fn start(folder: &TempDir) -> RedisServer {
    RedisServer::start(options(folder)).expect("a server")
}

/// Logs in, sends a command and returns the replies of the next 300 ms.
fn send(server: &RedisServer, command: &str) -> String {
    let url = server.url_for("some-body").expect("a user");
    let (_, login) = url.split_once("redis://").expect("a URL");
    let (login, address) = login.split_once('@').expect("a login");
    let (user, password) = login.split_once(':').expect("a password");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a limit");
    let commands = format!("AUTH {user} {password}\r\n{command}\r\nQUIT\r\n");
    stream.write_all(commands.as_bytes()).expect("sent");
    let mut replies = String::new();
    let _ = stream.read_to_string(&mut replies);
    replies
}

/// Polls until a condition holds; panics after 10 s.
fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(10);
    while !happened() {
        assert!(Instant::now() < give_up, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn is_alive(pid: u32) -> bool {
    let found = Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
    found.expect("kill exists").success()
}

#[test]
fn the_default_settings_are_those_of_a_system_of_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&folder);
    let settings = "CONFIG GET appendonly appendfsync maxmemory-policy save bind";
    let reply = send(&server, settings);
    let words: Vec<_> = reply
        .lines()
        .filter(|line| !line.starts_with(['$', '*', '+']))
        .collect();
    let value = |name: &str| {
        words
            .windows(2)
            .find(|pair| pair[0] == name)
            .map(|pair| pair[1])
    };
    assert_eq!(value("appendonly"), Some("yes"));
    assert_eq!(value("appendfsync"), Some("always"));
    assert_eq!(value("maxmemory-policy"), Some("noeviction"));
    assert_eq!(value("bind"), Some("127.0.0.1"));
    assert_eq!(value("save"), Some(""));
}

#[test]
fn given_settings_override_the_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let setting = ("appendfsync".to_owned(), "everysec".to_owned());
    let server = RedisServer::start(Options {
        settings: vec![setting],
        ..options(&folder)
    });
    let reply = send(&server.expect("a server"), "CONFIG GET appendfsync");
    assert!(reply.contains("everysec"), "{reply}");
}

#[test]
fn only_its_users_can_log_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&folder);
    assert_eq!(server.url_for("nobody"), None);
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.write_all(b"PING\r\nQUIT\r\n").expect("sent");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    assert!(reply.starts_with("-NOAUTH"), "{reply}");
}

#[test]
fn acknowledged_writes_survive_a_kill_a_stop_and_a_new_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(&folder);
    let address = server.address();
    send(&server, "SET one 1");
    server.kill();
    assert_eq!((server.pid(), server.is_running()), (None, false));
    server.restart().expect("restarted");
    assert_eq!(server.address(), address);
    send(&server, "SET two 2");
    server.stop().expect("stopped");
    drop(server);

    let server = start(&folder);
    let reply = send(&server, "MGET one two");
    assert!(reply.contains("$1\r\n1\r\n$1\r\n2\r\n"), "{reply}");
}

#[test]
fn a_frozen_server_does_not_reply_until_it_continues() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(&folder);
    server.freeze().expect("frozen");
    assert_eq!(send(&server, "PING"), "");
    server.thaw().expect("continued");
    assert!(send(&server, "PING").contains("+PONG"));
}

#[test]
fn a_frozen_server_can_be_stopped_and_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(&folder);
    server.freeze().expect("frozen");
    server.restart().expect("restarted while frozen");
    server.freeze().expect("frozen again");
    let pid = server.pid().expect("it runs");
    drop(server);
    assert!(!is_alive(pid));
}

#[test]
fn a_server_that_ended_by_itself_is_not_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = start(&folder);
    assert!(server.is_running());
    send(&server, "SHUTDOWN NOSAVE");
    eventually("the server has ended", || !server.is_running());
    server.freeze().expect_err("the server does not run");
    server.restart().expect("restarted");
    assert!(server.is_running());
}

#[test]
fn a_folder_has_only_one_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = start(&folder);
    let refused = RedisServer::start(options(&folder)).expect_err("it is taken");
    assert_eq!(refused.kind(), std::io::ErrorKind::ResourceBusy);
    drop(server);
    RedisServer::start(options(&folder)).expect("it is free again");
}

#[test]
fn the_error_names_a_program_that_does_not_exist_or_does_not_serve() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |program: &str| {
        let program = Some(program.into());
        RedisServer::start(Options {
            program,
            ..options(&folder)
        })
        .expect_err("no server")
    };
    let missing = with("/nowhere/redis-server");
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    assert!(
        missing.to_string().contains("/nowhere/redis-server"),
        "{missing}"
    );
    let no_server = with("echo");
    assert!(
        no_server.to_string().starts_with("the server ended: "),
        "{no_server}"
    );
}

#[test]
fn the_error_names_a_setting_that_the_server_refuses() {
    let folder = tempfile::tempdir().expect("a folder");
    let setting = ("no-such-setting".to_owned(), "1".to_owned());
    let refused = RedisServer::start(Options {
        settings: vec![setting],
        ..options(&folder)
    });
    let sentence = refused.expect_err("no server").to_string();
    assert!(sentence.contains("no-such-setting"), "{sentence}");
}

/// The parent process of `a_server_ends_when_its_parent_is_killed`: starts a server and waits to be
/// killed. Without the environment variable it does nothing.
#[test]
fn parent() {
    let Some(folder) = std::env::var_os("TEST_PARENT_OF_A_SERVER_IN") else {
        return;
    };
    let data_dir = folder.into();
    let folder = tempfile::tempdir().expect("a folder");
    let server = RedisServer::start(Options {
        data_dir,
        ..options(&folder)
    })
    .expect("a server");
    println!("\nserver {} ", server.pid().expect("it runs"));
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_server_ends_when_its_parent_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut parent = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "parent", "--nocapture"])
        .env("TEST_PARENT_OF_A_SERVER_IN", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a parent");
    let mut printed = String::new();
    let mut output = parent.stdout.take().expect("its output");
    let mut byte = [0];
    while !(printed.contains("server ") && printed.ends_with(" \n")) {
        output
            .read_exact(&mut byte)
            .expect("the parent prints the pid of its server");
        printed.push(char::from(byte[0]));
    }
    let pid = printed
        .rsplit("server ")
        .next()
        .expect("a pid")
        .trim()
        .parse()
        .expect("a number");
    assert!(is_alive(pid));
    parent.kill().expect("killed");
    parent.wait().expect("its end");
    eventually("the server has ended", || !is_alive(pid));
    start(&folder);
}
