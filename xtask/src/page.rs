//! Fetches a page from a container, wherever its port can be reached.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sti_test_engine::Engine;

/// A server that does not answer after so long will not.
const PATIENCE: Duration = Duration::from_secs(20);

/// A page that was served.
pub(crate) struct Served {
    /// From where it was fetched, as `HOST:PORT`.
    pub(crate) address: String,
    /// What came.
    pub(crate) page: String,
}

impl Served {
    /// Fetches the front page of a container, by its published port or, where an engine lives in another network, by its own address.
    pub(crate) fn by(engine: &Engine, id: &str) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let container = engine.get(&format!("/containers/{id}/json"))?;
            ensure!(container["State"]["Running"] == true, "the product has ended: {:?}", engine.output(id)?);
            for address in addresses(engine, &container) {
                if let Ok(page) = fetch(&address) {
                    return Ok(Self { address, page });
                }
            }
            ensure!(Instant::now() < deadline, "the product serves no page at any of {:?}", addresses(engine, &container));
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Where the container's port 8080 may be reached, the likeliest first.
fn addresses(engine: &Engine, container: &Value) -> Vec<String> {
    let settings = &container["NetworkSettings"];
    let published = settings["Ports"]["8080/tcp"][0]["HostPort"].as_str().map(|port| format!("{}:{port}", host_of(engine.url())));
    let own = settings["IPAddress"].as_str().filter(|address| !address.is_empty()).map(|address| format!("{address}:8080"));
    published.into_iter().chain(own).collect()
}

/// The machine that publishes the ports: the engine's, or this one where the engine has a socket here.
fn host_of(url: &str) -> &str {
    let address = url.strip_prefix("tcp://").or_else(|| url.strip_prefix("http://")).unwrap_or("127.0.0.1");
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

fn fetch(address: &str) -> Result<String> {
    let to = std::net::ToSocketAddrs::to_socket_addrs(address)?.next().context("no address")?;
    let mut connection = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(connection, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, page)) if head.starts_with("HTTP/1.1 200 ") => Ok(page.to_owned()),
        _ => bail!("answered {:?}", answer.lines().next()),
    }
}

/// The lines of a page that say something: its title, and the text of its main part without markup.
pub(crate) fn readable(page: &str) -> Vec<String> {
    let title =
        page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| format!("[{title}]"));
    let main = page.split_once("<main>").map_or(page, |(_, main)| main);
    let lines = main.lines().map(without_markup).filter(|line| !line.trim().is_empty());
    title.into_iter().chain(lines).collect()
}

fn without_markup(line: &str) -> String {
    // Cells of a table stand side by side.
    let line = line.replace("</td>", " ").replace("</th>", " ");
    let pieces = line.split('<').enumerate();
    let text = pieces.map(|(number, piece)| if number == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) });
    text.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shown_without_its_markup() {
        let page = "<html><title>Home</title><nav>x</nav><main>\n<h1>Home</h1>\n<tr><td>one</td><td>two</td></tr>\n<p>a <b>bold</b>, word</p></main>";
        assert_eq!(readable(page), ["[Home]", "Home", "one two", "a bold, word"]);
    }

    #[test]
    fn ports_are_published_where_the_engine_is() {
        assert_eq!(host_of("unix:///var/run/docker.sock"), "127.0.0.1");
        assert_eq!(host_of("tcp://10.0.0.7:2375"), "10.0.0.7");
    }
}
