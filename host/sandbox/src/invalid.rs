//! Why a component is no plugin that this `sti` can run, and what to do about it.

use thiserror::Error;

use crate::Kind;

/// What preflight found. Each is found before wasmtime compiles anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is not WebAssembly at all.
    #[error("it is no WebAssembly: it begins with {begins}")]
    NotWasm {
        /// The first bytes, shown.
        begins: String,
    },
    /// It is readable text.
    #[error("it is no WebAssembly but looks like text (WAT or a script)")]
    Text,
    /// It is a core module.
    #[error("it is a core module, and plugins are components")]
    CoreModule,
    /// It ends too early, or bytes in it are wrong.
    #[error("it is damaged or cut off: {why} (at byte {at} of {size})")]
    Damaged {
        /// What the reader said.
        why: String,
        /// Where.
        at: usize,
        /// How many bytes there are.
        size: usize,
    },
    /// It is larger than a component may be.
    #[error("it has {size} bytes, and at most {limit} are read")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It exports nothing that makes a plugin.
    #[error("it exports none of `sti:plugin/strategy`, `sti:plugin/fetcher` and `sti:plugin/validator`{}", shown_exports(.exports))]
    NoKind {
        /// What it does export.
        exports: Vec<String>,
    },
    /// It was built for a contract that is newer than this program.
    #[error("it was built for {package} {wanted}, and this sti serves {served}")]
    TooNew {
        /// `sti:host` or `sti:plugin`.
        package: &'static str,
        /// What it asks for.
        wanted: String,
        /// What there is.
        served: &'static str,
    },
    /// It was built for a contract that is no longer served.
    #[error("it was built for {package} {wanted}, and this sti serves {served}")]
    TooOld {
        /// `sti:host` or `sti:plugin`.
        package: &'static str,
        /// What it asks for.
        wanted: String,
        /// What there is.
        served: &'static str,
    },
    /// It imports an interface that nobody offers.
    #[error("it imports `{interface}`, which this sti does not offer")]
    UnknownInterface {
        /// The import's name.
        interface: String,
        /// An interface whose name is near.
        nearest: Option<&'static str>,
    },
    /// It imports a function that its interface does not have.
    #[error("it calls `{function}` of `{interface}`, and there is no such function")]
    UnknownFunction {
        /// The import's name.
        interface: String,
        /// The function.
        function: String,
    },
    /// It imports a power that its kind may never use.
    #[error("it calls `{function}` of `{interface}`, which a {} may never use", .kind.name())]
    NeverForKind {
        /// What it is.
        kind: Kind,
        /// The import's name.
        interface: String,
        /// The function.
        function: String,
    },
    /// It does not have what its kind must have, or has it in another shape.
    #[error("its imports or exports have another shape than the contract: {why}")]
    Mismatch {
        /// What wasmtime said.
        why: String,
    },
    /// What it says of itself cannot be used.
    #[error("its introduction is not usable: {why}")]
    Introduction {
        /// What is wrong.
        why: String,
    },
}

fn shown_exports(exports: &[String]) -> String {
    if exports.is_empty() { String::new() } else { format!(" (it exports {})", exports.join(", ")) }
}

impl Invalid {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Empty | Self::Damaged { .. } => "copy or download it again, or build it anew".to_owned(),
            Self::NotWasm { .. } | Self::Text => {
                "name the `.wasm` file that `cargo build --target wasm32-wasip2` makes".to_owned()
            }
            Self::CoreModule => "build it for the target `wasm32-wasip2`, which makes components".to_owned(),
            Self::TooLarge { .. } => "build it in release mode and strip it".to_owned(),
            Self::NoKind { .. } => "register the plugin with a macro of the crate `sti-plugin`, such as `strategy!`".to_owned(),
            Self::TooNew { .. } => "update sti".to_owned(),
            Self::TooOld { .. } => "rebuild the plugin with a newer SDK".to_owned(),
            Self::UnknownInterface { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownInterface { .. } => "a plugin may import interfaces of `sti:host` and inert WASI 0.2 only".to_owned(),
            Self::UnknownFunction { .. } | Self::Mismatch { .. } => {
                "build it against the WIT of this sti (`sti version` says which), or update sti".to_owned()
            }
            Self::NeverForKind { kind, .. } => format!("a {} looks and decides; leave the call out", kind.name()),
            Self::Introduction { .. } => "mend `describe` in the plugin".to_owned(),
        }
    }
}
