//! All that a server of git answers. The first byte says how much of it is right.

use std::sync::{Arc, Mutex};

use sti_git::Git;
use sti_plugin::testing::{AddressBuilder, Fetched, Line, WebAnswer};

use crate::{
    deck::Deck,
    fetched::{self, MOST_BYTES, MOST_ENTRIES},
    packs,
    repository::Repository,
};

/// What a server says of itself, of its references, and of the rest.
struct Answers {
    hello: Vec<u8>,
    references: Vec<u8>,
    pack: Vec<u8>,
    /// What Git LFS answers.
    lfs: Vec<u8>,
}

/// Fetches from a server that answers with these bytes.
///
/// # Panics
/// Where something does not hold.
pub fn git(bytes: &[u8]) {
    let mut deck = Deck::new(bytes);
    let form = deck.byte();
    let setting = |name, value: bool| if value { (name, "yes") } else { (name, "no") };
    let (submodules, lfs) = (setting("submodules", form & 0x10 == 0), if form & 0x20 == 0 { "fetch" } else { "skip" });
    let address = match form % 5 {
        0 | 1 => served(made(&mut deck)),
        2 => served(packed(&mut deck, true)),
        3 => served(said(&mut deck)),
        _ => on_a_line(deck.rest().to_vec()),
    };
    let address = address.setting(submodules.0, submodules.1).setting("lfs", lfs);
    let address = if form & 0x40 == 0 { address } else { address.reference("main") };
    check(&address.limits(MOST_ENTRIES, MOST_BYTES).fetch::<Git>());
}

/// A repository whose objects are drawn, and whose sums and identifiers are right.
fn made(deck: &mut Deck<'_>) -> Answers {
    let lfs = deck.many().to_vec();
    let (repository, tip) = Repository::draw(deck);
    Answers { lfs, ..answers(&repository.pack(), &tip.to_string()) }
}

/// A pack of any bytes behind its header, with a right sum or without.
fn packed(deck: &mut Deck<'_>, is_sealed: bool) -> Answers {
    let count = u32::from(deck.byte());
    let tip = deck.take(20).iter().fold(String::new(), |tip, byte| tip + &format!("{byte:02x}"));
    let pack = [b"PACK\0\0\0\x02".as_slice(), &count.to_be_bytes(), deck.rest()].concat();
    let pack = if is_sealed { packs::sealed(pack) } else { pack };
    answers(&pack, &format!("{tip:0<40}"))
}

/// Any bytes, whatever is asked.
fn said(deck: &mut Deck<'_>) -> Answers {
    let (hello, references) = (deck.many().to_vec(), deck.many().to_vec());
    // Half of them begin as a server does that knows the protocol.
    let hello = if deck.byte() & 1 == 0 { hello } else { proper_hello() };
    Answers { hello, references, pack: deck.rest().to_vec(), lfs: Vec::new() }
}

fn answers(pack: &[u8], tip: &str) -> Answers {
    let references = [
        packs::line(&format!("{tip} HEAD symref-target:refs/heads/main\n")),
        packs::line(&format!("{tip} refs/heads/main\n")),
        b"0000".to_vec(),
    ];
    Answers { hello: proper_hello(), references: references.concat(), pack: packs::answer(pack), lfs: Vec::new() }
}

fn proper_hello() -> Vec<u8> {
    let lines = ["version 2\n", "ls-refs=unborn\n", "fetch=shallow\n", "object-format=sha1\n"];
    let lines = lines.into_iter().flat_map(packs::line).collect();
    [packs::line("# service=git-upload-pack\n"), b"0000".to_vec(), lines, b"0000".to_vec()].concat()
}

fn served(answers: Answers) -> AddressBuilder {
    let Answers { hello, references, pack, lfs } = answers;
    let answer = |body: &[u8], kind: &str| WebAnswer::new(200, body).header("content-type", kind);
    let asked = Arc::<Mutex<usize>>::default();
    AddressBuilder::new("http://hostile.example/a.git").web(move |request| {
        check_request(&request.url);
        *asked.lock().expect("no holder panics") += 1;
        assert!(*asked.lock().expect("no holder panics") < 4_000, "the server is asked without end");
        let has = |text: &[u8]| request.body.windows(text.len()).any(|some| some == text);
        Ok(if request.url.ends_with("/info/refs?service=git-upload-pack") {
            answer(&hello, "application/x-git-upload-pack-advertisement")
        } else if has(b"command=ls-refs") {
            answer(&references, "application/x-git-upload-pack-result")
        } else if request.url.ends_with("/git-upload-pack") {
            answer(&pack, "application/x-git-upload-pack-result")
        } else {
            answer(&lfs, "application/vnd.git-lfs+json")
        })
    })
}

/// A line on which everything is said at once, in any version of the protocol.
fn on_a_line(said: Vec<u8>) -> AddressBuilder {
    AddressBuilder::new("git://hostile.example/a.git").repositories(move |_| {
        let said = said.clone();
        Ok(Line::new(std::io::Cursor::new(said), std::io::sink()))
    })
}

fn check_request(url: &str) {
    assert!(!url.is_empty() && !url.starts_with('-') && !url.chars().any(char::is_control), "{url:?} is asked");
}

fn check(fetched: &Fetched) {
    fetched::check(fetched);
    for path in fetched.tree.open().find("**", u32::MAX).expect("a glob") {
        let is_of_git = |part: &str| part.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1");
        assert!(!path.split('/').any(is_of_git), "{path:?} is written");
    }
}
