//! What an engine is spoken to with in TLS: looked at before it is used, because whoever uses it keeps silent about a certificate that
//! cannot be read; and what it means when the two do not come together.

use std::path::{Path, PathBuf};

/// The certificates that a TLS endpoint is spoken to with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who may vouch for the engine.
    pub ca: PathBuf,
    /// Who we are. Together with the key it may be missing: then the engine is told nothing of us, as by docker's own client.
    pub cert: PathBuf,
    /// Our secret half.
    pub key: PathBuf,
}

/// Why TLS does not come about, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) hint: String,
}

/// What a file must hold, by a word of its first line in PEM.
const CERTIFICATE: &str = "CERTIFICATE-----";
const PRIVATE_KEY: &str = "PRIVATE KEY-----";
const ENCRYPTED: &str = "ENCRYPTED";

/// What the words of a failed connection mean; the first row that fits is taken. `{ca}`, `{cert}` and `{said}` are filled in.
const MEANINGS: &[(&str, &str, &str)] = &[
    (
        "invalid peer certificate: UnknownIssuer",
        "its certificate is vouched for by nobody whom `{ca}` names",
        "put the certificate of the authority that vouches for the engine into `{ca}`",
    ),
    ("invalid peer certificate: certificate not valid for name", "{said}", "name the engine as its certificate does"),
    ("invalid peer certificate", "{said}", "give the engine a certificate that is valid"),
    (
        "received fatal alert: CertificateRequired",
        "it wants to see a certificate, and there is no `{cert}`",
        "put a certificate that the engine accepts there, and its key as `key.pem` beside it",
    ),
    ("received fatal alert: ProtocolVersion", "it does not speak TLS 1.3", "update the engine, or what stands before it"),
    ("received corrupt message", "it does not speak TLS", "unset DOCKER_TLS_VERIFY, or name the port where it does"),
    ("received fatal alert", BROKEN_OFF, OTHER_CERTIFICATE),
    // Its last words may get lost where it ends the connection before it has read everything.
    ("Connection reset", BROKEN_OFF, OTHER_CERTIFICATE),
    ("Broken pipe", BROKEN_OFF, OTHER_CERTIFICATE),
    ("connection closed before", BROKEN_OFF, OTHER_CERTIFICATE),
];
const BROKEN_OFF: &str = "it broke off, as engines do that want another certificate than `{cert}` ({said})";
const OTHER_CERTIFICATE: &str = "put a certificate that the engine accepts into `{cert}`, and its key as `key.pem` beside it";

impl TlsFiles {
    /// Those of a directory, under the names that docker gives them.
    pub(crate) fn of(directory: &Path) -> Self {
        Self { ca: directory.join("ca.pem"), cert: directory.join("cert.pem"), key: directory.join("key.pem") }
    }

    /// Looks whether the files are there and hold what they should.
    pub(crate) fn check(&self) -> Result<(), Trouble> {
        let is_told_nothing = !self.cert.exists() && !self.key.exists();
        let ours: &[_] = if is_told_nothing { &[] } else { &[(&self.cert, CERTIFICATE), (&self.key, PRIVATE_KEY)] };
        std::iter::once(&(&self.ca, CERTIFICATE)).chain(ours).try_for_each(|(path, word)| check(path, word)).map_err(|why| {
            let directory = self.ca.parent().unwrap_or(&self.ca).display();
            let hint = format!(
                "`ca.pem`, `cert.pem` and `key.pem` belong into `{directory}`; without TLS, write `tcp://HOST:PORT` and unset \
                 DOCKER_TLS_VERIFY"
            );
            Trouble { why, hint }
        })
    }

    /// What a failed connection means, where that is a matter of certificates.
    pub(crate) fn meaning(&self, said: &str) -> Option<Trouble> {
        let fill = |text: &str| {
            let show = |path: &Path| path.display().to_string();
            text.replace("{ca}", &show(&self.ca)).replace("{cert}", &show(&self.cert)).replace("{said}", said)
        };
        let (_, why, hint) = MEANINGS.iter().find(|(words, ..)| said.contains(words))?;
        Some(Trouble { why: fill(why), hint: fill(hint) })
    }
}

#[expect(clippy::disallowed_methods, reason = "bollard takes no more than paths, and reads what lies there itself")]
fn check(path: &Path, word: &str) -> Result<(), String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    let what = if word == CERTIFICATE { "certificate" } else { "private key" };
    if !text.lines().any(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(word)) {
        return Err(format!("`{shown}` holds no {what} in PEM"));
    }
    if word == PRIVATE_KEY && text.contains(ENCRYPTED) {
        return Err(format!("`{shown}` is encrypted, and nobody is asked for its password"));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test makes the files")]
mod tests {
    use super::*;

    const CA: &str = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n";
    const LOCKED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n";

    fn check_tells(files: &[(&str, &str)], expected: Option<&str>) {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        let told = TlsFiles::of(home.path()).check().err().map(|trouble| trouble.why);
        match expected {
            None => assert_eq!(told, None, "{files:?}"),
            Some(words) => {
                let told = told.unwrap_or_else(|| panic!("{files:?} is taken"));
                assert!(told.replace(&home.path().display().to_string(), "").contains(words), "{told}");
            }
        }
    }

    #[test]
    fn tells_which_file_is_missing_or_holds_something_else() {
        let (ca, cert, key) = (("ca.pem", CA), ("cert.pem", CA), ("key.pem", KEY));
        check_tells(&[ca, cert, key], None);
        check_tells(&[ca], None);
        check_tells(&[cert, key], Some("`/ca.pem` cannot be read"));
        check_tells(&[ca, cert], Some("`/key.pem` cannot be read"));
        check_tells(&[ca, key], Some("`/cert.pem` cannot be read"));
        check_tells(&[("ca.pem", "x"), cert, key], Some("`/ca.pem` holds no certificate"));
        check_tells(&[ca, ("cert.pem", KEY), key], Some("`/cert.pem` holds no certificate"));
        check_tells(&[ca, cert, ("key.pem", CA)], Some("`/key.pem` holds no private key"));
        check_tells(&[ca, cert, ("key.pem", LOCKED)], Some("`/key.pem` is encrypted"));
    }

    #[test]
    fn tells_what_a_failed_connection_means() {
        let files = TlsFiles::of(Path::new("/certs"));
        let rows = [
            ("invalid peer certificate: UnknownIssuer", "certificate is vouched for by nobody whom `/certs/ca.pem` names"),
            (
                "invalid peer certificate: certificate not valid for name \"a\"; certificate is only valid for b",
                "only valid for b",
            ),
            ("invalid peer certificate: Expired", "Expired"),
            ("received fatal alert: CertificateRequired", "there is no `/certs/cert.pem`"),
            ("received fatal alert: UnknownCA", "another certificate than `/certs/cert.pem` (received fatal alert: UnknownCA)"),
            ("Connection reset by peer (os error 104)", "another certificate than `/certs/cert.pem`"),
            ("received corrupt message of type InvalidContentType", "does not speak TLS"),
        ];
        for (said, words) in rows {
            let trouble = files.meaning(said).unwrap_or_else(|| panic!("{said}"));
            assert!(trouble.why.contains(words) && !trouble.hint.contains('{'), "{trouble:?}");
        }
        assert_eq!(files.meaning("Connection refused (os error 111)"), None);
    }
}
