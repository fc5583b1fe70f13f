//! Serves a directory over HTTP: GET and HEAD of files, and nothing else.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    thread,
    time::Duration,
};

use crate::Failure;

/// A client that says nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// More than any browser sends ahead of an empty line.
const HEAD_LIMIT: u64 = 16 * 1024;

/// What a request is answered with.
struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

/// Serves `site` on all addresses until the process is ended.
pub(crate) fn serve(site: &Path, port: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind(format!("0.0.0.0:{port}")).map_err(|error| format!("port {port}: {error}"))?;
    println!("serving on port {port}");
    for connection in listener.incoming().flatten() {
        let site = site.to_path_buf();
        thread::spawn(move || {
            // A client that hangs up in the middle concerns nobody but itself.
            let _ = converse(&connection, &site);
        });
    }
    Ok(())
}

fn converse(connection: &TcpStream, site: &Path) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(connection.take(HEAD_LIMIT)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // All of the head has to be read: closing a socket with unread bytes may take the answer back.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let Answer { status, kind, body } = answer(&request, site);
    let length = body.len();
    let mut connection = connection;
    write!(connection, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    if !request.starts_with("HEAD ") {
        connection.write_all(&body)?;
    }
    connection.flush()
}

fn answer(request: &str, site: &Path) -> Answer {
    let mut words = request.split(' ');
    let (Some("GET" | "HEAD"), Some(target)) = (words.next(), words.next()) else {
        return Answer { status: "405 Method Not Allowed", kind: "text/plain", body: b"only GET and HEAD\n".to_vec() };
    };
    let found = path_of(target).and_then(|path| file(site, &path));
    found.unwrap_or_else(|| Answer { status: "404 Not Found", kind: "text/plain", body: b"no such page\n".to_vec() })
}

/// The path below the site that a request's target means; `None` where it means to leave the site.
fn path_of(target: &str) -> Option<PathBuf> {
    let path = decoded(target.split(['?', '#']).next()?)?;
    let mut path = PathBuf::from(path.trim_start_matches('/'));
    if path.as_os_str().is_empty() || target.ends_with('/') {
        path.push("index.html");
    }
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

fn file(site: &Path, path: &Path) -> Option<Answer> {
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/octet-stream",
    };
    Some(Answer { status: "200 OK", kind, body: fs::read(site.join(path)).ok()? })
}

/// Resolves `%20` and the like.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_means_a_file_of_the_site_or_nothing() {
        let cases = [
            ("/", Some("index.html")),
            ("/guide/", Some("guide/index.html")),
            ("/guide/start.html?x=1", Some("guide/start.html")),
            ("/a%20b.txt", Some("a b.txt")),
            ("/../etc/passwd", None),
            ("/%2e%2e/etc/passwd", None),
            ("/%zz", None),
        ];
        for (target, wanted) in cases {
            assert_eq!(path_of(target), wanted.map(PathBuf::from), "{target}");
        }
    }

    #[test]
    fn other_methods_are_refused() {
        assert_eq!(answer("POST / HTTP/1.1", Path::new("/nowhere")).status, "405 Method Not Allowed");
        assert_eq!(answer("GET /x HTTP/1.1", Path::new("/nowhere")).status, "404 Not Found");
    }
}
