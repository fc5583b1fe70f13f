//! The sandbox itself: one engine, one linker and one store for all plugins of a process. Everything costly is put off until it is
//! needed, because most builds begin with code that is compiled already.

use std::sync::{Arc, OnceLock};

use cap_std::fs::Dir;
use wasmtime::{Config, Engine, WasmBacktraceDetails, component::Linker};

use crate::{
    Card, Error, Invalid, Limits, Plugin, compiled,
    powers::{self, State},
    preflight,
    store::Store,
    ticker::Ticker,
};

/// Loads plugins.
pub struct Sandbox(Arc<House>);

/// What a sandbox needs.
pub struct Settings {
    /// Where compiled code is kept: a directory of this user's that nobody else can reach into (0700). Without one, components are
    /// compiled each time.
    pub store: Option<Dir>,
    /// What plugins may use.
    pub limits: Limits,
}

/// A component to be loaded.
#[derive(Clone, Copy)]
pub struct Component<'a> {
    /// Its path or name, for errors.
    pub shown: &'a str,
    /// `sha256:…` of its bytes, where that is known for certain, such as at compile time; else it is computed. A wrong one would load
    /// another component's code.
    pub digest: Option<&'a str>,
    /// The component.
    pub bytes: &'a [u8],
}

/// What all plugins share.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) limits: Limits,
    linker: OnceLock<Linker<State>>,
    store: Option<Store>,
}

impl Sandbox {
    /// Prepares a sandbox; refuses a store that others can reach into.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let engine = Engine::new(&configuration()).map_err(|error| Error::Store {
            why: format!("this machine cannot run WebAssembly: {error}"),
            hint: "report it, with the output of `sti doctor`".to_owned(),
        })?;
        let store = settings.store.map(|dir| Store::open(dir, &engine)).transpose()?;
        let ticker = Ticker::new(engine.clone());
        Ok(Self(Arc::new(House { engine, ticker, limits: settings.limits, linker: OnceLock::new(), store })))
    }

    /// Loads a component: from what is known of it, or by preflight, compilation and introduction.
    pub async fn load(&self, component: Component<'_>) -> Result<Plugin, Error> {
        let house = Arc::clone(&self.0);
        let invalid = |why| Error::Invalid { plugin: component.shown.to_owned(), why };
        let (size, limit) = (component.bytes.len(), house.limits.component_bytes);
        if size > limit {
            return Err(invalid(Invalid::TooLarge { size, limit }));
        }
        let digest =
            component.digest.filter(|digest| is_digest(digest)).map_or_else(|| digest_of(component.bytes), str::to_owned);
        if let Some(card) = house.store.as_ref().and_then(|store| store.card(&digest)) {
            return Ok(Plugin::new(house, card, digest, component.bytes));
        }
        let manifest = preflight::read(component.bytes).map_err(invalid)?;
        let card = Card { name: component.shown.to_owned(), kinds: manifest.kinds, needs: manifest.needs, ..Card::default() };
        let plugin = Plugin::new(Arc::clone(&house), card, digest, component.bytes).introduced().await?;
        if let Some(store) = &house.store {
            // A store that cannot be written costs time at the next start, and nothing else.
            drop(store.keep_card(plugin.digest(), plugin.card()));
        }
        Ok(plugin)
    }
}

impl House {
    /// What plugins are linked with.
    pub(crate) fn linker(&self) -> wasmtime::Result<&Linker<State>> {
        if let Some(linker) = self.linker.get() {
            return Ok(linker);
        }
        let mut linker = Linker::new(&self.engine);
        powers::link(&mut linker)?;
        Ok(self.linker.get_or_init(|| linker))
    }

    /// The code of a component, from the store or compiled.
    pub(crate) fn code(&self, digest: &str, bytes: &[u8]) -> wasmtime::Result<wasmtime::component::Component> {
        let known = self.store.as_ref().and_then(|store| store.code(digest));
        if let Some(Ok(code)) = known.map(|trusted| compiled::load(&self.engine, &trusted)) {
            return Ok(code);
        }
        let code = compiled::compile(&self.engine, bytes)?;
        if let Some(store) = &self.store {
            // As above: not to be remembered is no failure.
            drop(store.keep_code(digest, &code.serialize()?));
        }
        Ok(code)
    }
}

/// Changing anything here changes the compatibility hash, and with it the names in the store.
fn configuration() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // No plugin needs async or streams in its signatures, and without them a store is cheaper.
    config.concurrency_support(false);
    // The default asks an environment variable; names of functions are shown in any case.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

fn is_digest(digest: &str) -> bool {
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digest.strip_prefix("sha256:").is_some_and(|digits| digits.len() == 64 && digits.bytes().all(is_hexadecimal))
}

/// The digest by which a component is vetted and its compiled code is kept: `sha256:…`.
pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", sti_core::digest::sha256(bytes))
}
