//! Looks at a component before wasmtime does: what it is, what it exports and what it imports, so that what is wrong with it can be
//! said in our own words.

mod contract;

use wasmparser::{Encoding, Parser, Payload, Validator, component_types::ComponentEntityType, types::Types};

use crate::{
    Invalid, Kind,
    preflight::contract::{HOST, PLUGIN, SERVED},
};

/// What a component shows of itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// What it is.
    pub(crate) kinds: Vec<Kind>,
    /// The interfaces of `sti:host` of which it calls a function.
    pub(crate) needs: Vec<String>,
}

/// Reads a component, and refuses one that could not run.
pub(crate) fn read(bytes: &[u8]) -> Result<Manifest, Invalid> {
    check_header(bytes)?;
    let damaged =
        |error: wasmparser::Error| Invalid::Damaged { why: error.message().to_owned(), at: error.offset(), size: bytes.len() };
    let names = Names::of(bytes).map_err(damaged)?;
    let kinds = kinds(&names.exports)?;
    let types = Validator::new().validate_all(bytes).map_err(damaged)?;
    let mut needs = Vec::new();
    for import in &names.imports {
        let functions = functions(&types, import);
        check_import(import, &functions, &kinds)?;
        needs.extend(contract::interface(import).filter(|_| !functions.is_empty()).map(|interface| interface.name.to_owned()));
    }
    Ok(Manifest { kinds, needs })
}

/// The names of what the outermost component imports and exports.
#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    fn of(bytes: &[u8]) -> Result<Self, wasmparser::Error> {
        let (mut names, mut depth) = (Self::default(), 0_u32);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        names.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        names.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(names)
    }
}

fn check_header(bytes: &[u8]) -> Result<(), Invalid> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.is_empty() {
        return Err(Invalid::Empty);
    }
    if !bytes.starts_with(MAGIC) {
        let start = &bytes[..bytes.len().min(512)];
        let is_text = std::str::from_utf8(start).map_or_else(|error| error.valid_up_to() + 4 > start.len(), |_| true)
            && !start.contains(&0);
        let begins = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        return Err(if is_text && bytes.len() > 3 { Invalid::Text } else { Invalid::NotWasm { begins } });
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(()),
        Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => Err(Invalid::CoreModule),
        Some(Err(error)) => Err(Invalid::Damaged { why: error.message().to_owned(), at: error.offset(), size: bytes.len() }),
        _ => Err(Invalid::Damaged { why: "it has no version".to_owned(), at: MAGIC.len(), size: bytes.len() }),
    }
}

/// What the exports make of it, in the order in which it is asked.
fn kinds(exports: &[String]) -> Result<Vec<Kind>, Invalid> {
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let interface = format!("{PLUGIN}/{}", kind.name());
        let Some((_, version)) = exports.iter().filter_map(|export| export.split_once('@')).find(|(name, _)| *name == interface)
        else {
            continue;
        };
        check_version(PLUGIN, version)?;
        kinds.push(kind);
    }
    if kinds.is_empty() { Err(Invalid::NoKind { exports: exports.to_vec() }) } else { Ok(kinds) }
}

fn check_import(import: &str, functions: &[String], kinds: &[Kind]) -> Result<(), Invalid> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if contract::is_inert_wasi(name, version) {
        return Ok(());
    }
    let Some(interface) = contract::interface(import) else {
        let nearest = sti_core::closest::closest(name, contract::names());
        return Err(Invalid::UnknownInterface { interface: import.to_owned(), nearest });
    };
    check_version(HOST, version)?;
    for function in functions {
        check_function(interface, import, function, kinds, version)?;
    }
    Ok(())
}

fn check_function(
    interface: &contract::Interface,
    import: &str,
    function: &str,
    kinds: &[Kind],
    version: &str,
) -> Result<(), Invalid> {
    let (interface_name, shown) = (import.to_owned(), shown(function));
    let Some(power) = interface.power(function) else {
        return Err(if is_newer(version) {
            Invalid::TooNew { package: HOST, wanted: version.to_owned(), served: SERVED }
        } else {
            Invalid::UnknownFunction { interface: interface_name, function: shown }
        });
    };
    if !kinds.iter().any(|kind| power.suits(*kind)) {
        return Err(Invalid::NeverForKind { kind: kinds[0], interface: interface_name, function: shown });
    }
    Ok(())
}

/// Within 0.1 everything that was there stays: any 0.1 is served, as long as it calls nothing that came later.
fn check_version(package: &'static str, wanted: &str) -> Result<(), Invalid> {
    let newer = || Invalid::TooNew { package, wanted: wanted.to_owned(), served: SERVED };
    let older = || Invalid::TooOld { package, wanted: wanted.to_owned(), served: SERVED };
    match numbers(wanted) {
        Some((0, 1, _)) => Ok(()),
        Some(version) if version > (0, 1, 0) => Err(newer()),
        _ => Err(older()),
    }
}

fn is_newer(version: &str) -> bool {
    numbers(version) > numbers(SERVED)
}

fn numbers(version: &str) -> Option<(u64, u64, u64)> {
    let release = version.split(['-', '+']).next().unwrap_or(version);
    let mut numbers = release.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

/// The functions of an imported instance; what is imported by itself is no interface, and found out by its name.
fn functions(types: &Types, import: &str) -> Vec<String> {
    let types = types.as_ref();
    match types.component_item_for_import(import).map(|item| item.ty) {
        Some(ComponentEntityType::Instance(instance)) => {
            let exports = types[instance].exports.iter();
            exports.filter(|(_, item)| matches!(item.ty, ComponentEntityType::Func(_))).map(|(name, _)| name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// `[method]tree.read` as `tree.read`.
fn shown(function: &str) -> String {
    function.split_once(']').map_or(function, |(_, name)| name).to_owned()
}
