//! A site behind a web proxy that asks for a password: it enrols, checks and works through it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::thread;

use fedval_tests::consortium::{Consortium, until};
use fedval_tests::process::{Running, call};

const PASSWORD: &str = "correct-horse";
/// Base64 of `svc:correct-horse`.
const ENCODED: &str = "c3ZjOmNvcnJlY3QtaG9yc2U=";

/// A proxy on a real socket; how many tunnels it opened, and where to.
struct WebProxy {
    port: u16,
    opened: Arc<Mutex<Vec<String>>>,
}

impl WebProxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let opened = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&opened);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, kept) = (stream.expect("a connection"), Arc::clone(&kept));
                // A tunnel that breaks is what breaks: whoever waits at its end says so.
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { port, opened }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn opened(&self) -> Vec<String> {
        self.opened.lock().expect("no panic while it is held").clone()
    }
}

fn serve(client: TcpStream, opened: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut client) = (String::new(), client);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    if !head.contains(&format!("Basic {ENCODED}\r\n")) {
        return client.write_all(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"hospital\"\r\n\
              Content-Length: 0\r\n\r\n",
        );
    }
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let Some(port) = target.strip_prefix("localhost:") else {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    };
    #[expect(clippy::disallowed_methods, reason = "this is the proxy, which dials for the agent")]
    let mut upstream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    opened.lock().expect("no panic while it is held").push(target);
    let (mut back, mut out) = (upstream.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let copied = io::copy(&mut back, &mut out);
        out.shutdown(Shutdown::Both).and(copied)
    });
    let copied = pump(&mut reader, &mut upstream);
    upstream.shutdown(Shutdown::Both).and(copied)
}

fn pump(from: &mut BufReader<TcpStream>, to: &mut TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read])?;
    }
}

#[test]
fn f11_a_site_behind_a_proxy_that_asks_for_a_password_enrols_checks_and_works_through_it() {
    let consortium = Consortium::start();
    let web_proxy = WebProxy::start();
    let invited = consortium.fedval(&["site", "invite", "site-a", "--json"]).json();
    let token = invited["token"].as_str().expect("a token");
    let (home, file) = (consortium.path("site-a"), consortium.path("proxy.credentials"));
    let write = |password: &str| {
        fs::write(&file, format!("svc:{password}\n")).expect("a writable folder");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our own file");
    };
    write(PASSWORD);
    let (url, proxy) = (consortium.url(), web_proxy.url());
    let credentials = file.to_str().expect("a plain path");
    let enrol = ["enrol", "--coordinator", &url, "--token", token, "--proxy", &proxy];
    let refused = call("fedval-agent", &home, &enrol);
    assert!(refused.code == 3 && refused.err.contains("PROXY_AUTHENTICATION"), "{}", refused.err);
    assert!(web_proxy.opened().is_empty());
    let enrol = [&enrol[..], &["--proxy-credentials", credentials]].concat();
    let enrolled = call("fedval-agent", &home, &enrol);
    assert_eq!(enrolled.code, 0, "{}", enrolled.err);

    let config = fs::read_to_string(home.join("agent.toml")).expect("enrolment wrote it");
    assert!(config.contains(&format!("\nproxy = \"{proxy}\"\n")), "{config}");
    assert!(config.contains(&format!("\nproxy_credentials = \"{credentials}\"\n")), "{config}");
    let holds = || -> Vec<(String, Option<bool>)> {
        let checks = call("fedval-agent", &home, &["check", "--json", "--log", "trace"]);
        assert!(!format!("{}{}", checks.out, checks.err).contains(PASSWORD));
        let checks: serde_json::Value = serde_json::from_str(&checks.out).expect("JSON");
        let rows = checks["checks"].as_array().expect("rows").iter();
        let rows =
            rows.map(|row| (row["check"].as_str().map(str::to_owned), row["holds"].as_bool()));
        rows.filter_map(|(what, holds)| Some((what?, holds)))
            .filter(|(what, _)| ["port", "proxy", "TLS", "clock", "coordinator"].contains(&&**what))
            .collect()
    };
    assert!(holds().iter().all(|(_, holds)| *holds == Some(true)), "{:?}", holds());

    let (before, log) = (web_proxy.opened().len(), consortium.path("site-a.log"));
    let running = Running::start("fedval-agent", &home, &["--log", "trace", "run"], &log);
    let logged = || String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    until("the agent is connected", || logged().contains("coordinator connected").then_some(()));
    assert!(web_proxy.opened().len() > before);
    drop(running);
    let target = url.trim_start_matches("https://");
    assert!(web_proxy.opened().iter().all(|opened| opened == target), "one address is dialled");

    write("wrong");
    assert_eq!(holds()[1], ("proxy".to_owned(), Some(false)));
    assert_eq!(holds()[2], ("TLS".to_owned(), None));
    assert!(![PASSWORD, ENCODED].iter().any(|secret| logged().contains(secret)));
}
