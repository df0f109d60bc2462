//! The command lines of the three binaries.

use std::fs;
use std::net::TcpListener;

use testkit::Program;

const BINARIES: [&str; 3] = ["startlist", "admin-service", "user-service"];

/// Settings of all binaries, with invalid values.
const EVERYWHERE: [(&str, &str); 18] = [
    ("STARTLIST_LOG", "not=a=filter"),
    ("STARTLIST_LOG_FORMAT", "xml"),
    ("STARTLIST_LAME_DUCK", "soon"),
    ("STARTLIST_DRAIN_DEADLINE", "-1s"),
    ("STARTLIST_MAX_DEADLINE", "25h"),
    ("STARTLIST_REFLECTION", "perhaps"),
    ("STARTLIST_NETWORK_SIGN_IN_FAILURES", "many"),
    ("STARTLIST_MAX_CALLS", "-1"),
    ("STARTLIST_MAX_CONNECTIONS", "1.5"),
    ("STARTLIST_MAX_CONNECTIONS_PER_ADDRESS", "few"),
    ("STARTLIST_MAX_CONNECTION_IDLE", "300"),
    ("STARTLIST_MAX_CONNECTION_AGE", "never"),
    ("STARTLIST_MAX_CONNECTION_AGE_GRACE", "25h"),
    ("STARTLIST_TRUSTED_PROXIES", "10.0.0.0/33"),
    ("STARTLIST_PROXY_PROTOCOL", "v2"),
    ("STARTLIST_CHANGES_PER_MINUTE", "-1"),
    ("STARTLIST_REDIS_URL", "http://127.0.0.1:6379"),
    ("STARTLIST_REDIS_URL", "redis://"),
];
/// Settings of one binary, with invalid values.
const OF_ONE_BINARY: [(&str, &str, &str); 14] = [
    ("startlist", "STARTLIST_SIGN_UPS_PER_HOUR", "many"),
    ("startlist", "STARTLIST_ADMIN_LISTEN", "nowhere"),
    ("startlist", "STARTLIST_USER_LISTEN", "127.0.0.1"),
    ("startlist", "STARTLIST_DATA_DIR", "/dev/null/startlist"),
    ("startlist", "STARTLIST_OWNER_EMAIL", "owner@127.0.0.1"),
    ("startlist", "STARTLIST_OWNER_PASSWORD_FILE", "/nowhere"),
    ("admin-service", "STARTLIST_ADMIN_LISTEN", "127.0.0.1:99999"),
    ("admin-service", "STARTLIST_OWNER_EMAIL", "owner"),
    ("admin-service", "STARTLIST_OWNER_PASSWORD_FILE", "/nowhere"),
    ("admin-service", "STARTLIST_PEER_URL", "nowhere"),
    ("user-service", "STARTLIST_USER_LISTEN", "nowhere"),
    ("user-service", "STARTLIST_SIGN_UPS_PER_HOUR", "-1"),
    ("user-service", "STARTLIST_REDIS_PASSWORD_FILE", "/nowhere"),
    ("user-service", "STARTLIST_HEALTH_LISTEN", "nowhere"),
];

#[tokio::test]
async fn an_invalid_value_ends_the_process_with_one_sentence_that_names_the_setting() {
    let everywhere = EVERYWHERE
        .iter()
        .flat_map(|&(variable, value)| BINARIES.map(|binary| (binary, variable, value)));
    for (binary, variable, value) in everywhere.chain(OF_ONE_BINARY) {
        let exit = Program::start(binary, &[], &[(variable, value)])
            .exit()
            .await;
        let case = format!("{binary} with {variable}={value}: {exit:?}");
        assert_eq!(exit.code, Some(64), "{case}");
        assert_eq!(exit.stdout, "", "{case}");
        assert_eq!(exit.stderr.trim_end().lines().count(), 1, "{case}");
        let name = variable.trim_start_matches("STARTLIST_");
        let flag = name.to_lowercase().replace('_', "-");
        // A service has one address, and so its flag does not name the service.
        let flag = match (binary, flag.as_str()) {
            ("admin-service", "admin-listen") | ("user-service", "user-listen") => "listen",
            (_, flag) => flag,
        };
        let start = format!("{binary}: --{flag} ({variable}): ");
        assert!(exit.stderr.starts_with(&start), "{case}");
    }
}

#[tokio::test]
async fn an_owner_whose_password_is_the_address_is_not_created() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "Olga@xn--bcher-kva.example\n").expect("written");
    let password = password.to_str().expect("a path");
    let settings = [
        ("STARTLIST_OWNER_EMAIL", "olga@bücher.example"),
        ("STARTLIST_OWNER_PASSWORD_FILE", password),
    ];
    for binary in ["startlist", "admin-service"] {
        let exit = Program::start(binary, &[], &settings).exit().await;
        assert_eq!(exit.code, Some(64), "{binary}: {exit:?}");
        let start = format!(
            "{binary}: --owner-password-file (STARTLIST_OWNER_PASSWORD_FILE): the password in {password} must not be"
        );
        assert!(exit.stderr.contains(&start), "{exit:?}");
    }
}

#[tokio::test]
async fn an_unknown_flag_and_a_missing_value_are_named() {
    for binary in BINARIES {
        for (flag, variable) in [
            ("--no-such-flag", ""),
            ("--log-format", " (STARTLIST_LOG_FORMAT)"),
        ] {
            let exit = Program::start(binary, &[flag], &[]).exit().await;
            assert_eq!(exit.code, Some(64), "{exit:?}");
            let start = format!("{binary}: {flag}{variable}: ");
            assert!(exit.stderr.starts_with(&start), "{exit:?}");
        }
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_setting() {
    let in_use = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = in_use.local_addr().expect("an address").to_string();
    for (binary, variable, flag) in [
        ("startlist", "STARTLIST_ADMIN_LISTEN", "--admin-listen"),
        ("startlist", "STARTLIST_USER_LISTEN", "--user-listen"),
        ("admin-service", "STARTLIST_ADMIN_LISTEN", "--listen"),
        ("user-service", "STARTLIST_USER_LISTEN", "--listen"),
    ] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let data_dir = folder.path().to_str().expect("a UTF-8 path");
        let mut settings = vec![
            ("STARTLIST_ADMIN_LISTEN", "127.0.0.1:0"),
            ("STARTLIST_USER_LISTEN", "127.0.0.1:0"),
            ("STARTLIST_DATA_DIR", data_dir),
        ];
        settings.retain(|(name, _)| *name != variable);
        settings.push((variable, &address));
        let exit = Program::start(binary, &[], &settings).exit().await;
        assert_eq!(exit.code, Some(64), "{exit:?}");
        let start = format!("{binary}: {flag} ({variable}): cannot listen on {address}: ");
        assert!(exit.stderr.starts_with(&start), "{exit:?}");
    }
}

#[tokio::test]
async fn every_flag_has_a_description_a_variable_and_a_line_in_the_readme() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let helps = BINARIES.map(|binary| (binary, &["--help"][..], 10));
    let doctor = ("startlist", &["doctor", "--help"][..], 5);
    for (binary, help, fewest) in helps.into_iter().chain([doctor]) {
        let exit = Program::start(binary, help, &[]).exit().await;
        assert_eq!(exit.code, Some(0), "{exit:?}");
        assert_eq!(exit.stderr, "", "{binary}");
        let flags: Vec<_> = exit.stdout.split("\n      --").skip(1).collect();
        assert!(flags.len() >= fewest, "{binary}: {}", exit.stdout);
        for flag in flags {
            let (_, about) = flag.split_once('\n').expect("more than a name");
            let description = about.trim_start().lines().next().unwrap_or_default();
            let is_described = description.len() > 5 && !description.starts_with('[');
            assert!(is_described, "{binary} --{flag}");
            let variable = about.split("[env: ").nth(1).unwrap_or_default();
            let variable = variable.split(['=', ']']).next().unwrap_or_default();
            let name = variable.strip_prefix("STARTLIST_");
            let name = name.unwrap_or_else(|| panic!("{binary} has no variable for --{flag}"));
            let is_in_readme = readme.contains(&format!("`{name}`"));
            assert!(is_in_readme, "the README does not name {variable}");
        }
    }
}

#[tokio::test]
async fn every_binary_prints_its_version() {
    for binary in BINARIES {
        let exit = Program::start(binary, &["--version"], &[]).exit().await;
        let version = format!("{binary} {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(exit.stdout, version);
    }
}

#[tokio::test]
async fn no_password_of_a_url_is_printed() {
    let valid = [("STARTLIST_REDIS_URL", "redis://me:s3cret@127.0.0.1:1")];
    let invalid = [("STARTLIST_REDIS_URL", "redes://me:s3cret@127.0.0.1:1")];
    for binary in BINARIES {
        let help = Program::start(binary, &["--help"], &valid).exit().await;
        assert!(!help.stdout.contains("s3cret"), "{binary}");
        let exit = Program::start(binary, &[], &invalid).exit().await;
        assert_eq!(exit.code, Some(64), "{exit:?}");
        assert!(!exit.stderr.contains("s3cret"), "{exit:?}");
    }
}
