//! The command lines of the three binaries.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use testkit::Program;

const BINARIES: [&str; 3] = ["startlist", "admin-service", "user-service"];

#[tokio::test]
async fn a_bad_value_ends_with_one_sentence_that_names_the_setting_and_exit_code_64() {
    const EVERYWHERE: [(&str, &str); 11] = [
        ("STARTLIST_LOG", "not=a=filter"),
        ("STARTLIST_LOG_FORMAT", "xml"),
        ("STARTLIST_LAME_DUCK", "soon"),
        ("STARTLIST_DRAIN_DEADLINE", "-1s"),
        ("STARTLIST_MAX_DEADLINE", "25h"),
        ("STARTLIST_REFLECTION", "perhaps"),
        ("STARTLIST_NETWORK_SIGN_IN_FAILURES", "many"),
        ("STARTLIST_MAX_CALLS", "-1"),
        ("STARTLIST_MAX_CONNECTIONS", "1.5"),
        ("STARTLIST_REDIS_URL", "http://127.0.0.1:6379"),
        ("STARTLIST_REDIS_URL", "redis://"),
    ];
    const HERE_AND_THERE: [(&str, &str, &str); 12] = [
        ("startlist", "STARTLIST_ADMIN_LISTEN", "nowhere"),
        ("startlist", "STARTLIST_USER_LISTEN", "127.0.0.1"),
        ("startlist", "STARTLIST_DATA_DIR", "/dev/null/startlist"),
        ("startlist", "STARTLIST_OWNER_EMAIL", "owner"),
        (
            "startlist",
            "STARTLIST_OWNER_PASSWORD_FILE",
            "/nowhere/password",
        ),
        ("admin-service", "STARTLIST_ADMIN_LISTEN", "127.0.0.1:99999"),
        ("admin-service", "STARTLIST_OWNER_EMAIL", "owner"),
        (
            "admin-service",
            "STARTLIST_OWNER_PASSWORD_FILE",
            "/nowhere/password",
        ),
        ("admin-service", "STARTLIST_PEER_URL", "nowhere"),
        ("user-service", "STARTLIST_USER_LISTEN", "nowhere"),
        (
            "user-service",
            "STARTLIST_REDIS_PASSWORD_FILE",
            "/nowhere/password",
        ),
        ("user-service", "STARTLIST_HEALTH_LISTEN", "nowhere"),
    ];
    let everywhere = EVERYWHERE.iter().flat_map(|(variable, value)| {
        BINARIES
            .into_iter()
            .map(move |binary| (binary, *variable, *value))
    });
    for (binary, variable, value) in everywhere.chain(HERE_AND_THERE) {
        let ended = Program::start(binary, &[], &[(variable, value)])
            .exit()
            .await;
        let case = format!("{binary} with {variable}={value}: {ended:?}");
        assert_eq!(ended.code, Some(64), "{case}");
        assert_eq!(ended.stdout, "", "{case}");
        assert_eq!(ended.stderr.trim_end().lines().count(), 1, "{case}");
        let flag = variable
            .trim_start_matches("STARTLIST_")
            .to_lowercase()
            .replace('_', "-");
        let flag = match binary {
            "startlist" => flag,
            // Of one service only one thing listens.
            _ => flag
                .replace("admin-listen", "listen")
                .replace("user-listen", "listen"),
        };
        let names_it = ended
            .stderr
            .starts_with(&format!("{binary}: --{flag} ({variable}): "));
        assert!(names_it, "{case}");
    }
}

#[tokio::test]
async fn an_unknown_flag_and_a_missing_value_are_named_too() {
    for binary in BINARIES {
        for (flag, rest) in [
            ("--no-such-flag", ""),
            ("--log-format", " (STARTLIST_LOG_FORMAT)"),
        ] {
            let ended = Program::start(binary, &[flag], &[]).exit().await;
            assert_eq!(ended.code, Some(64), "{ended:?}");
            assert!(
                ended
                    .stderr
                    .starts_with(&format!("{binary}: {flag}{rest}: ")),
                "{ended:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for (binary, variable, flag) in [
        ("startlist", "STARTLIST_ADMIN_LISTEN", "--admin-listen"),
        ("startlist", "STARTLIST_USER_LISTEN", "--user-listen"),
        ("admin-service", "STARTLIST_ADMIN_LISTEN", "--listen"),
        ("user-service", "STARTLIST_USER_LISTEN", "--listen"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().to_str().expect("a path");
        let mut settings = vec![
            ("STARTLIST_ADMIN_LISTEN", "127.0.0.1:0"),
            ("STARTLIST_USER_LISTEN", "127.0.0.1:0"),
            ("STARTLIST_DATA_DIR", data_dir),
        ];
        settings.retain(|(name, _)| *name != variable);
        settings.push((variable, &address));
        let ended = Program::start(binary, &[], &settings).exit().await;
        assert_eq!(ended.code, Some(64), "{ended:?}");
        let sentence = format!("{binary}: {flag} ({variable}): cannot listen on {address}: ");
        assert!(ended.stderr.starts_with(&sentence), "{ended:?}");
    }
}

#[tokio::test]
async fn help_is_complete_every_flag_has_a_variable_and_the_readme_names_it() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let mut variables = BTreeSet::new();
    let helps = BINARIES.map(|binary| (binary, &["--help"][..], 10));
    let doctor = ("startlist", &["doctor", "--help"][..], 5);
    for (binary, help, fewest) in helps.into_iter().chain([doctor]) {
        let ended = Program::start(binary, help, &[]).exit().await;
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{binary}"
        );
        let entries: Vec<_> = ended.stdout.split("\n      --").skip(1).collect();
        assert!(entries.len() >= fewest, "{binary}: {}", ended.stdout);
        for entry in entries {
            let (flag, about) = entry.split_once('\n').expect("more than a name");
            let words = about.trim_start().lines().next().unwrap_or_default();
            assert!(
                words.len() > 5 && !words.starts_with('['),
                "{binary} --{flag}: {about}"
            );
            let variable = about.split("[env: ").nth(1).unwrap_or_default();
            let variable = variable.split(['=', ']']).next().unwrap_or_default();
            assert!(
                variable.starts_with("STARTLIST_"),
                "{binary} --{flag}: {about}"
            );
            variables.insert(variable.to_owned());
        }
        let version = Program::start(binary, &["--version"], &[]).exit().await;
        assert_eq!(
            version.stdout,
            format!("{binary} {}\n", env!("CARGO_PKG_VERSION"))
        );
    }
    for variable in variables {
        let name = variable.trim_start_matches("STARTLIST_");
        assert!(
            readme.contains(&format!("`{name}`")),
            "the README does not name {variable}"
        );
    }
}

#[tokio::test]
async fn no_value_that_may_be_secret_is_shown() {
    let secret = [("STARTLIST_REDIS_URL", "redis://me:s3cret@127.0.0.1:1")];
    for binary in BINARIES {
        let help = Program::start(binary, &["--help"], &secret).exit().await;
        assert!(!help.stdout.contains("s3cret"), "{binary}");
        let bad = [("STARTLIST_REDIS_URL", "redes://me:s3cret@127.0.0.1:1")];
        let ended = Program::start(binary, &[], &bad).exit().await;
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    }
}
