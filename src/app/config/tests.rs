use super::*;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("qianfa.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

fn place(text: &str, environment: &[(&str, &str)]) -> String {
    load(text, environment).unwrap_err().place
}

#[test]
fn nothing_given_is_a_configuration() {
    let config = Config::load(None, []).unwrap();
    assert_eq!(config.listen.port(), 8080);
    assert_eq!(config.database.url, "sqlite://qianfa-data/qianfa.db");
    assert!(!config.site.cookie_secure);
}

#[test]
fn the_environment_stands_over_the_file() {
    let config = load(
        "listen = \"0.0.0.0:80\"\n[session]\nhours = 8\n",
        &[("QIANFA_LISTEN", "127.0.0.1:0"), ("QIANFA_PUBLIC_URL", "https://lims.example/"), ("PATH", "x")],
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:0");
    assert_eq!(config.session.session, chrono::Duration::hours(8));
    assert_eq!(config.site.public_url, "https://lims.example");
    assert!(config.site.cookie_secure);
}

#[test]
fn with_tls_the_addresses_are_https_and_cookies_secure() {
    let mut config = load("[tls]\ncertificate = \"Cargo.toml\"\nkey = \"Cargo.toml\"", &[]).unwrap();
    assert_eq!(config.site.public_url, "https://127.0.0.1:8080");
    assert!(config.site.cookie_secure);
    config.listen_on("127.0.0.1:9443".parse().unwrap());
    assert_eq!((config.site.public_url.as_str(), config.site.listen.port()), ("https://127.0.0.1:9443", 9443));
}

#[test]
fn a_fault_names_its_field() {
    assert_eq!(place("listen = \"here\"", &[]), "listen");
    assert_eq!(place("[session]\nhours = 0", &[]), "session.hours");
    assert_eq!(place("[database]\nurl = \"mysql://x\"", &[]), "database.url");
    assert_eq!(place("[log]\nformat = \"xml\"", &[]), "log.format");
    assert_eq!(place("[folders]\nregulation = \"/no/such/folder\"", &[]), "folders.regulation");
    assert_eq!(place("[login]\nfailures = \"many\"", &[]), "login.failures");
    assert_eq!(place("public_url = \"lims.example\"", &[]), "public_url");
    assert_eq!(place("", &[("QIANFA_WORKERS", "two")]), "QIANFA_WORKERS");
    assert_eq!(place("", &[("QIANFA_LISTN", "x")]), "QIANFA_LISTN");
    assert_eq!(place("[tls]\ncertificate = \"Cargo.toml\"", &[]), "tls.key");
    assert_eq!(place("[tls]\nkey = \"Cargo.toml\"", &[]), "tls.certificate");
    assert_eq!(place("[signing]\ncertificate = \"Cargo.toml\"", &[]), "signing.key");
    assert_eq!(place("[certificate_numbers]\nlot_release = \"{number}\"", &[]), "certificate_numbers.lot_release");
    let unknown = load("[session]\nminutes = 1", &[]).unwrap_err();
    assert!(unknown.message.contains("minutes"), "{unknown}");
    let syntax = load("listen = ", &[]).unwrap_err();
    assert!(!syntax.to_string().contains('\n'), "{syntax}");
}

#[test]
fn every_field_can_be_set_from_the_environment() {
    // A field of the list that the structs do not have would be refused as unknown, not as mistyped.
    for (field, _) in FIELDS {
        let mut table = Table::new();
        put(&mut table, field, Value::Array(Vec::new())).unwrap();
        let error = Config::read(table).unwrap_err();
        assert_eq!(error.place, *field, "{error}");
        assert!(!error.message.contains("unknown field"), "{field}: {error}");
    }
}

#[test]
fn the_variable_of_the_passphrase_is_known_by_its_name() {
    let text = "[signing]\npassphrase_env = \"QIANFA_KEY_WORDS\"";
    assert!(load(text, &[("QIANFA_KEY_WORDS", "secret")]).is_ok());
    assert_eq!(place("", &[("QIANFA_KEY_WORDS", "secret")]), "QIANFA_KEY_WORDS");
}

#[test]
fn several_servers_share_the_limits_of_the_log_in() {
    let of = |servers: &str| load("", &[("QIANFA_LOGIN_SERVERS", servers)]).unwrap().session;
    let (one, three) = (of("1"), of("3"));
    assert_eq!((one.failures, one.source_attempts, one.name_attempts), (5, 50, 20));
    assert_eq!((three.failures, three.source_attempts, three.name_attempts), (2, 17, 7));
    assert_eq!(place("[login]\nservers = 0", &[]), "login.servers");
}

#[test]
fn seals_are_shown_where_that_can_be_read() {
    let config = load("[seal]\nauthority = \"http://tsa.example/\"\nsyslog = \"tcp://log:601\"", &[]).unwrap();
    assert_eq!(config.anchors.authority.as_deref(), Some("http://tsa.example/"));
    assert_eq!(config.anchors.syslog.map(|log| log.to_string()).as_deref(), Some("tcp://log:601"));
    assert_eq!(place("[seal]\nauthority = \"tsa.example\"", &[]), "seal.authority");
    assert_eq!(place("[seal]\nsyslog = \"log\"", &[]), "seal.syslog");
    assert_eq!(place("[seal]\nauthority_roots = \"/no/such/file\"", &[]), "seal.authority_roots");
}
