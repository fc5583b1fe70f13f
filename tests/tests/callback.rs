//! `sti build --callback-url`: whoever is named is told how the build ended, whole and once; the build ends as it would have without.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use sti_tests::{Builder, Lab, Signal, needs_engine};

/// A server on loopback that takes documents: what it was sent, and with which login.
struct Desk {
    url: String,
    taken: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Desk {
    /// Answers the first calls with these statuses, and all others with the last of them.
    fn open(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let desk = Self { url: format!("http://{}/told", listener.local_addr().unwrap()), taken: Arc::default() };
        let taken = Arc::clone(&desk.taken);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let status = statuses.get(number).or(statuses.last()).unwrap();
                if let Some(call) = answer(&stream, *status) {
                    taken.lock().unwrap().push(call);
                }
            }
        });
        desk
    }

    fn taken(&self) -> Vec<(String, Value)> {
        self.taken.lock().unwrap().clone()
    }

    /// The one document that was handed in.
    fn only(&self) -> Value {
        let taken = self.taken();
        assert_eq!(taken.len(), 1, "{taken:#?}");
        taken[0].1.clone()
    }
}

fn answer(mut stream: &TcpStream, status: u16) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut login) = (0, String::new());
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(line.starts_with("POST /told"), "{line}");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => value.clone_into(&mut login),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()?;
    Some((login, serde_json::from_slice(&body).ok()?))
}

fn builder(lab: &Lab, prepare: &str) -> String {
    lab.builder(Builder::new().user("1001").prepare(prepare).run("cat /app/index.txt"))
}

#[test]
fn a_build_that_went_well_is_told_with_its_labels() {
    needs_engine!();
    let (lab, desk) = (Lab::new(), Desk::open(&[200]));
    let (builder, source) = (builder(&lab, "copy /tmp/src /app"), lab.source(&[("index.txt", "hello")]));
    let url = desk.url.replace("http://", "http://ada:swordfish@") + "?token=hidden";
    let built = lab.build(&source, &builder, "app", &["--callback-url", &url, "--label", "a=b", "--debug"]);
    built.assert_success().assert_says("how the build ended (status 200)");
    built.assert_silent_about("swordfish").assert_silent_about("hidden");
    let told = desk.only();
    assert_eq!((&told["success"], told["tag"].as_str()), (&true.into(), Some(lab.tag("app").as_str())));
    assert_eq!((told["image"].as_str(), told["labels"]["a"].as_str()), (lab.image_id("app").as_deref(), Some("b")));
    assert!(told["labels"]["io.openshift.s2i.build.image"].is_string() && told["milliseconds"].is_u64(), "{told}");
    assert!(told["condition"].is_null() && told["message"].is_null(), "{told}");
    assert_eq!(desk.taken()[0].0, "Basic YWRhOnN3b3JkZmlzaA==");
    lab.assert_nothing_left();
}

#[test]
fn a_build_that_failed_is_told_with_its_condition() {
    needs_engine!();
    let lab = Lab::new();
    let (failing, fine) = (builder(&lab, "exit 3"), builder(&lab, "copy /tmp/src /app"));
    let source = lab.source(&[("index.txt", "hello")]);
    let cases: [(&str, &str, &[&str], i32, &str); 4] = [
        (&source, &failing, &["-m", "commit"], 1, "build-failed"),
        (&source, &fine, &["-m", "nobody"], 2, "invalid-strategy"),
        ("/nowhere/at/all", &fine, &[], 2, "source-not-found"),
        (&source, &fine, &["-U", "unix:///nowhere.sock"], 5, "connection-failed"),
    ];
    for (source, builder, more, code, condition) in cases {
        let desk = Desk::open(&[204]);
        let failed = lab.build(source, builder, "app", &[&["--json", "--callback-url", &desk.url], more].concat());
        failed.assert_error(code, condition, &[]);
        let told = desk.only();
        assert_eq!((&told["success"], told["condition"].as_str()), (&false.into(), Some(condition)), "{told}");
        assert_eq!(told["message"], failed.error()["message"]);
        assert!(told["image"].is_null() && told["labels"].is_null(), "{told}");
    }
    lab.assert_nothing_left();
}

#[test]
fn a_build_that_policy_refuses_is_told() {
    needs_engine!();
    let (lab, desk) = (Lab::new(), Desk::open(&[200]));
    let (builder, source) = (builder(&lab, "copy /tmp/src /app"), lab.source(&[("index.txt", "hello")]));
    let policy = lab.root().join("policy.toml");
    fs::write(&policy, "[defaults]\nimages = [\"registry.corp/*\"]\n").unwrap();
    let more = ["--callback-url", &desk.url, "--policy", policy.to_str().unwrap(), "--json"];
    lab.build(&source, &builder, "app", &more).assert_error(3, "not-granted", &[]);
    assert_eq!(desk.only()["condition"], "not-granted");
    lab.assert_nothing_left();
}

#[test]
fn whoever_does_not_take_it_changes_nothing() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (builder(&lab, "copy /tmp/src /app"), lab.source(&[("index.txt", "hello")]));
    for (statuses, calls, warning) in [
        (&[503_u16, 200] as &[u16], 2, None),
        (&[500], 3, Some("it answers with status 500")),
        (&[403], 1, Some("it answers with status 403")),
        (&[302], 1, Some("it answers with status 302")),
    ] {
        let desk = Desk::open(statuses);
        let built = lab.build(&source, &builder, "app", &["--callback-url", &desk.url]);
        built.assert_success();
        match warning {
            Some(why) => built.assert_says("warning: ").assert_says("was not told how the build ended").assert_says(why),
            None => built.assert_silent_about("warning: "),
        };
        let taken = desk.taken();
        assert_eq!(taken.len(), calls, "{taken:#?}");
        assert!(taken.iter().all(|(_, told)| *told == taken[0].1 && told["success"] == true), "{taken:#?}");
    }
    let nobody = lab.build(&source, &builder, "app", &["--callback-url", "http://127.0.0.1:9/told"]);
    nobody.assert_success().assert_says("warning: http://127.0.0.1:9/told was not told how the build ended");
    lab.assert_nothing_left();
}

#[test]
fn what_is_no_address_or_not_granted_is_refused_before_any_work() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (builder(&lab, "copy /tmp/src /app"), lab.source(&[("index.txt", "hello")]));
    for url in ["ftp://example.com/", "example.com", "http://", "file:///etc/passwd", "https:example"] {
        let refused = lab.build(&source, &builder, "app", &["--callback-url", url, "--json"]);
        refused.assert_error(2, "invalid-argument", &["no address that a callback can go to"]);
    }
    let (desk, policy) = (Desk::open(&[200]), lab.root().join("policy.toml"));
    let more = ["--callback-url", &desk.url, "--policy", policy.to_str().unwrap(), "--json"];
    fs::write(&policy, "[defaults]\nhosts = [\"ci.example.com\"]\n").unwrap();
    let refused = lab.build(&source, &builder, "app", &more);
    refused.assert_error(3, "not-granted", &["`--callback-url` may not reach `127.0.0.1:", "ci.example.com", "hosts = ["]);
    assert_eq!(lab.image_id("app"), None);
    // The host may be reached, but at public addresses alone: that is known once it is called.
    fs::write(&policy, "[defaults]\nprivate-hosts = []\n").unwrap();
    lab.build(&source, &builder, "app", &more).assert_success().assert_says("was not told").assert_says("a loopback address");
    assert!(desk.taken().is_empty(), "{:?}", desk.taken());
    lab.assert_nothing_left();
}

#[test]
fn an_interrupted_build_is_told_and_ends_within_seconds() {
    needs_engine!();
    let (lab, desk) = (Lab::new(), Desk::open(&[200]));
    let (builder, source) = (builder(&lab, "print 'working'\nsleep 120"), lab.source(&[("index.txt", "hello")]));
    let more = ["build", &source, &builder, &lab.tag("app"), "-m", "commit", "--callback-url", &desk.url];
    let mut running = lab.start(more);
    running.wait_until_it_says("| working");
    let begun = Instant::now();
    running.signal(Signal::INT);
    lab.finish(running).assert_exit(130);
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(desk.only()["condition"], "interrupted");
    lab.assert_nothing_left();
}

#[test]
fn nothing_is_saved_and_that_is_said() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (builder(&lab, "copy /tmp/src /app"), lab.source(&[("index.txt", "hello")]));
    let built = lab.build(&source, &builder, "app", &["--save-temp-dir"]);
    built.assert_success().assert_says("there is nothing to save").assert_says("`--dir DIR`").assert_says("`--debug`");
    lab.assert_nothing_left();
}
