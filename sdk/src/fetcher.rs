//! Fetchers: how an address becomes a source.

use crate::{Address, Card, Problem, TreeWriter, host, panic::report_panics};

/// Turns an address into a tree. Registered by [`register_fetcher!`](crate::register_fetcher).
///
/// ```
/// use sti_plugin::{Address, Card, Fetcher, Problem, TreeWriter, http, register_fetcher};
///
/// struct OnePage;
///
/// impl Fetcher for OnePage {
///     fn card() -> Card {
///         Card::new("one-page", "0.1.0").summary("fetches one page").serves_scheme("page")
///     }
///
///     fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem> {
///         let page = http::download(&address.text())?.read_all(1 << 20)?;
///         address.record_fact("size", &page.len().to_string());
///         tree.put_file("index.html", 0o644, &page)
///     }
/// }
///
/// register_fetcher!(OnePage);
///
/// use sti_plugin::testing::AddressBuilder;
/// let fetched = AddressBuilder::new("https://example.com/").page("https://example.com/", 200, "<p>").fetch::<OnePage>();
/// assert_eq!(fetched.expect_tree().open().read_text("index.html", 100).unwrap(), "<p>");
/// ```
pub trait Fetcher {
    /// Introduces the plugin, and says which addresses it serves. Asked without any grant, before everything else.
    fn card() -> Card;

    /// Fills the tree. After an error what was written is thrown away.
    fn fetch(address: &Address, tree: &TreeWriter) -> Result<(), Problem>;
}

/// Makes a component of a crate: exports a type as its fetcher. Write it once, at the top of `lib.rs`; see [`Fetcher`] for an example.
#[macro_export]
macro_rules! register_fetcher {
    ($fetcher:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{fetcher, host};

            struct Exported;

            impl fetcher::exports::sti::plugin::fetcher::Guest for Exported {
                fn describe(card: &host::requests::Card) {
                    $crate::exports::describe_fetcher::<$fetcher>(card);
                }

                fn fetch(address: &host::requests::Address, tree: &host::trees::TreeWriter) -> Result<(), host::types::Problem> {
                    $crate::exports::fetch::<$fetcher>(address, tree)
                }
            }

    fetcher::export!(Exported with_types_in $crate::bindings::fetcher);
        };

        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Card = <$fetcher as $crate::Fetcher>::card;
    };
}

#[doc(hidden)]
pub fn describe_fetcher<F: Fetcher>(card: &host::requests::Card) {
    report_panics();
    F::card().write_to(card);
}

#[doc(hidden)]
pub fn fetch<F: Fetcher>(address: &host::requests::Address, tree: &host::trees::TreeWriter) -> Result<(), host::types::Problem> {
    report_panics();
    Ok(F::fetch(&Address::new(address, F::card().into_settings()), &TreeWriter::new(tree))?)
}
