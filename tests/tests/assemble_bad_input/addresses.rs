//! `--scripts-url`: servers that are silent, slow, endless or break off, and directories in which a script is something else.
//! `scripts_url.rs` has pages, redirects and logins.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    thread,
    time::Duration,
};

use sti_tests::{Lab, by_each_strategy, needs_engine, run};

use crate::{image, source};

by_each_strategy! {
    scripts_that_are_cut_too_long_or_nothing_are_refused
}

/// A server that reads each request and answers by this.
fn answering(answer: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _asked = stream.read(&mut [0; 4096]);
                let _sent = answer(&mut stream);
            });
        }
    });
    url
}

fn sleep(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

#[test]
fn a_server_that_is_silent_or_slow_is_not_waited_for_long() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (lab.builder(image()), source(&lab));
    let servers = [
        answering(|_| {
            sleep(600);
            Ok(())
        }),
        answering(|stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            sleep(600);
            Ok(())
        }),
        answering(|stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n#!/usr/bin/fixture\n")?;
            loop {
                stream.write_all(b"#")?;
                sleep(1);
            }
        }),
    ];
    let tag = lab.tag("app");
    let start = |url: &String| lab.start(["build", &source, &builder, &tag, "--scripts-url", url, "--json"]);
    // All at once, since each takes as long as a server is waited for.
    let running: Vec<_> = servers.iter().map(start).collect();
    for (running, url) in running.into_iter().zip(&servers) {
        let failed = lab.finish(running);
        failed.assert_error(5, "fetch-failed", &[url.trim_start_matches("http://")]);
        assert!(failed.time < Duration::from_secs(100), "{failed}");
    }
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}

fn scripts_that_are_cut_too_long_or_nothing_are_refused(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let (builder, source) = (lab.builder(image()), source(&lab));
    let refused = |url: &str, exits: &[i32], words: &str| {
        let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--scripts-url", url, "--json"]);
        assert!(exits.iter().any(|exit| refused.error()["exit"] == *exit), "expected one of {exits:?}\n{refused}");
        refused.assert_says(words);
        assert!(refused.time < Duration::from_mins(1) && refused.stdout.len() < 64 << 10, "{refused}");
        assert_eq!(lab.image_id("app"), None, "{refused}");
    };
    let cut = answering(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n#!/usr/bin/fixture\n"));
    refused(&cut, &[5], "");
    let cut_chunk = answering(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n#!/usr/bin/fixture\n\r\n")
    });
    refused(&cut_chunk, &[5], "");
    let endless = answering(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n#!/usr/bin/fixture\n")?;
        loop {
            stream.write_all(&[b'#'; 4096])?;
        }
    });
    refused(&endless, &[1], "512 KiB");
    let empty = answering(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    refused(&empty, &[1], "page or nothing");
    let in_a_circle = answering(|stream| {
        stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: /assemble\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    refused(&in_a_circle, &[5], "redirect");
    let no_http = answering(|stream| stream.write_all(b"220 mail.example.com ready\r\n"));
    refused(&no_http, &[5], "");
    let decoy = lab.source(&[("secret", "#!/usr/bin/fixture\nprint 'of the decoy'\n")]) + "/secret";
    for (make, words) in [("mkfifo", "no regular file"), ("mkdir", "no regular file"), ("touch", "page or nothing")] {
        let given = lab.source(&[]);
        run(given.as_ref(), make, &["assemble"]);
        refused(&format!("file://{given}"), &[1], words);
    }
    let given = lab.source(&[]);
    symlink(&decoy, format!("{given}/assemble")).unwrap();
    refused(&format!("file://{given}"), &[5], "assemble");
    let long = lab.source(&[("assemble", &"#".repeat(600 << 10))]);
    refused(&format!("file://{long}"), &[1], "512 KiB");
    lab.assert_nothing_left();
}
