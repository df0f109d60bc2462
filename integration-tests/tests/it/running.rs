//! A running `startlist`: the real binary with a Redis and both services.

use std::fs;
use std::path::{Path, PathBuf};

use integration_tests::channel_to;
use nix::sys::signal::Signal;
use testkit::{Exit, Program};
use tonic::transport::Channel;

/// A `startlist` that is ready.
pub(crate) struct RunningStartlist {
    pub(crate) program: Program,
    pub(crate) admin: Channel,
    pub(crate) user: Channel,
    data_dir: PathBuf,
}

impl RunningStartlist {
    /// Starts it with its data in this directory; returns when it prints that it is ready.
    pub(crate) async fn start(data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        let program = launch(data_dir, settings);
        program.wait_for_stdout("Ctrl-C").await;
        let stdout = program.stdout();
        let ready = stdout.lines().next().expect("a line");
        assert!(ready.starts_with("ready"), "{stdout}");
        let connect = |service: &str| {
            let (_, rest) = ready.split_once(service).expect("both services are named");
            channel_to(rest.split([',', ' ']).next().expect("an address"))
        };
        Self {
            admin: connect("admin-service on "),
            user: connect("user-service on "),
            data_dir: data_dir.to_owned(),
            program,
        }
    }

    /// The password that it made for the first owner.
    pub(crate) fn owner_password(&self) -> String {
        let password = fs::read_to_string(self.data_dir.join("owner-password"));
        password.expect("a password file").trim_end().to_owned()
    }

    /// Ends it as Ctrl-C does.
    pub(crate) async fn stop(self) -> Exit {
        self.stop_with(Signal::SIGINT).await
    }

    pub(crate) async fn stop_with(self, signal: Signal) -> Exit {
        self.program.signal(signal);
        let exit = self.program.exit().await;
        assert_eq!(exit.code, Some(0), "{exit:?}");
        exit
    }
}

/// Starts `startlist` on free ports with its data in this directory.
pub(crate) fn launch(data_dir: &Path, settings: &[(&str, &str)]) -> Program {
    let mut all = vec![
        ("STARTLIST_ADMIN_LISTEN", "127.0.0.1:0"),
        ("STARTLIST_USER_LISTEN", "127.0.0.1:0"),
        ("STARTLIST_LAME_DUCK", "0s"),
        (
            "STARTLIST_DATA_DIR",
            data_dir.to_str().expect("a UTF-8 path"),
        ),
    ];
    all.extend(settings);
    Program::start("startlist", &[], &all)
}
