//! Servers: git's own as children, and hand-made ones that say what a test wants.

use std::{
    io::{self, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Stdio},
};

use sti_plugin::{
    Problem,
    testing::{AddressBuilder, Line, WebAnswer, WebRequest},
};

use super::{HOST, git, packs};

/// Lets `git http-backend` answer a request.
pub(crate) fn http_backend(root: &Path, request: &WebRequest) -> Result<WebAnswer, Problem> {
    let rest =
        request.url.strip_prefix(&format!("http://{HOST}")).ok_or_else(|| Problem::unavailable("no-answer", "another host"))?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut command = git(root);
    command.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("REQUEST_METHOD", &request.method).env("PATH_INFO", path).env("QUERY_STRING", query);
    command.env("CONTENT_TYPE", request.header("content-type").unwrap_or_default());
    command.env("CONTENT_LENGTH", request.body.len().to_string());
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("git runs");
    let mut input = child.stdin.take().expect("it was piped");
    let body = request.body.clone();
    // Written while it is read, or both sides wait.
    let writing = std::thread::spawn(move || input.write_all(&body));
    let output = child.wait_with_output().expect("git ends").stdout;
    drop(writing.join().expect("no writer panics"));
    Ok(cgi(&output))
}

/// Reads what a CGI program says.
fn cgi(output: &[u8]) -> WebAnswer {
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of the headers");
    let headers = String::from_utf8_lossy(&output[..end]).into_owned();
    let headers = headers.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()));
    let mut answer = WebAnswer::new(200, &output[end + 4..]);
    for (name, value) in headers {
        if name == "Status" {
            answer.status = value[..3].parse().expect("a number");
        }
        answer = answer.header(name, value);
    }
    answer
}

/// Opens a line to `git daemon`, as a connection of its own would.
pub(crate) fn daemon(root: &Path) -> Line {
    let base = format!("--base-path={}", root.display());
    line(git(root).args(["daemon", "--inetd", "--export-all", &base]))
}

/// Opens a line to the service that ssh would start, in this version of the protocol.
pub(crate) fn upload_pack(path: &Path, version: &str) -> Line {
    line(git(path).arg("upload-pack").arg(path).env("GIT_PROTOCOL", format!("version={version}")))
}

fn line(command: &mut std::process::Command) -> Line {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
    let (input, output) = (child.stdin.take().expect("it was piped"), child.stdout.take().expect("it was piped"));
    Line::new(Output { child, output }, input)
}

/// What a child says; it is ended with the line.
struct Output {
    child: Child,
    output: ChildStdout,
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.read(buffer)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server that has one branch and sends the same pack whatever it is asked.
pub(crate) fn sending(pack: Vec<u8>, commit: &str) -> AddressBuilder {
    let tip = commit.to_owned();
    AddressBuilder::new("http://hostile.example/a.git").web(move |request| {
        let body = String::from_utf8_lossy(&request.body);
        Ok(if request.method == "GET" {
            advertisement("sha1")
        } else if body.contains("command=ls-refs") {
            result(&[packs::line(&format!("{tip} HEAD symref-target:refs/heads/main\n")), b"0000".to_vec()].concat())
        } else {
            result(&packs::answer(&pack))
        })
    })
}

/// What a server says first.
pub(crate) fn advertisement(object_format: &str) -> WebAnswer {
    let lines = ["version 2\n", "ls-refs=unborn\n", "fetch=shallow\n", &format!("object-format={object_format}\n")];
    let lines: Vec<u8> = lines.into_iter().flat_map(packs::line).collect();
    let body = [packs::line("# service=git-upload-pack\n"), b"0000".to_vec(), lines, b"0000".to_vec()].concat();
    WebAnswer::new(200, body).header("content-type", "application/x-git-upload-pack-advertisement")
}

/// An answer of the service.
pub(crate) fn result(body: &[u8]) -> WebAnswer {
    WebAnswer::new(200, body).header("content-type", "application/x-git-upload-pack-result")
}
