//! What is generated from `wit/`: the imports once, and a world for each kind of plugin on top of them.
//!
//! Not a part of the interface: the registering macros name it because they are expanded in the plugin's crate.

mod imports {
    wit_bindgen::generate!({
        inline: "
            package sti:sdk;

            world imports {
                import sti:host/types@0.1.0;
                import sti:host/log@0.1.0;
                import sti:host/blobs@0.1.0;
                import sti:host/trees@0.1.0;
                import sti:host/http@0.1.0;
                import sti:host/repositories@0.1.0;
                import sti:host/images@0.1.0;
                import sti:host/plans@0.1.0;
                import sti:host/requests@0.1.0;
            }
        ",
        path: ["wit/sti-host"],
        world: "sti:sdk/imports",
        generate_all,
        additional_derives: [PartialEq, Eq],
        additional_derives_ignore: ["base"],
    });
}

pub use imports::sti::host;

/// Expands to the bindings of one world, whose imports are the ones above.
macro_rules! world {
    ($kind:ident, $name:literal, $module:literal, { $($interface:literal: $generated:ident),+ }) => {
        pub mod $kind {
            wit_bindgen::generate!({
                path: ["wit/sti-host", "wit/sti-plugin"],
                world: $name,
                with: { $($interface: super::host::$generated),+ },
                pub_export_macro: true,
                default_bindings_module: $module,
            });
        }
    };
}

world!(strategy, "sti:plugin/strategy-plugin@0.1.0", "sti_plugin::bindings::strategy", {
    "sti:host/types@0.1.0": types,
    "sti:host/log@0.1.0": log,
    "sti:host/blobs@0.1.0": blobs,
    "sti:host/trees@0.1.0": trees,
    "sti:host/images@0.1.0": images,
    "sti:host/plans@0.1.0": plans,
    "sti:host/requests@0.1.0": requests
});
world!(fetcher, "sti:plugin/fetcher-plugin@0.1.0", "sti_plugin::bindings::fetcher", {
    "sti:host/types@0.1.0": types,
    "sti:host/log@0.1.0": log,
    "sti:host/blobs@0.1.0": blobs,
    "sti:host/trees@0.1.0": trees,
    "sti:host/http@0.1.0": http,
    "sti:host/repositories@0.1.0": repositories,
    "sti:host/images@0.1.0": images,
    "sti:host/requests@0.1.0": requests
});
world!(validator, "sti:plugin/validator-plugin@0.1.0", "sti_plugin::bindings::validator", {
    "sti:host/types@0.1.0": types,
    "sti:host/log@0.1.0": log,
    "sti:host/blobs@0.1.0": blobs,
    "sti:host/trees@0.1.0": trees,
    "sti:host/images@0.1.0": images,
    "sti:host/requests@0.1.0": requests
});
