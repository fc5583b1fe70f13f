//! Bindings generated from `wit/sti-host`: what a plugin may use. A crate of its own because generating them is slow. What the
//! handles stand for is decided in `sti-sandbox`; here they are numbers. What a plugin exports is called there by name.
#![expect(missing_docs, reason = "generated from wit/, where the documentation stands")]

pub mod handles;

/// The interfaces of `sti:host`.
pub mod host {
    wasmtime::component::bindgen!({
        path: "../../../wit/sti-host",
        interfaces: "
            import sti:host/types@0.1.0;
            import sti:host/log@0.1.0;
            import sti:host/images@0.1.0;
            import sti:host/trees@0.1.0;
            import sti:host/plans@0.1.0;
            import sti:host/blobs@0.1.0;
            import sti:host/http@0.1.0;
            import sti:host/repositories@0.1.0;
            import sti:host/requests@0.1.0;
        ",
        imports: {
            "sti:host/images.find": async | trappable,
            "sti:host/images.[method]image.runs-as": async | trappable,
            "sti:host/images.[method]image.look-at": async | trappable,
            "sti:host/images.[method]image.read": async | trappable,
            "sti:host/trees.[method]tree.find": async | trappable,
            "sti:host/requests.[method]job.script": async | trappable,
            "sti:host/http.send": async | trappable,
            "sti:host/http.download": async | trappable,
            "sti:host/http.[method]response.read": async | trappable,
            "sti:host/repositories.connect": async | trappable,
            "sti:host/repositories.[method]connection.read": async | trappable,
            "sti:host/repositories.[method]connection.write": async | trappable,
            "sti:host/repositories.[method]connection.finish": async | trappable,
            default: trappable,
        },
        with: {
            "sti:host/images.image": crate::handles::Image,
            "sti:host/trees.tree": crate::handles::Tree,
            "sti:host/plans.plan": crate::handles::Plan,
            "sti:host/plans.content": crate::handles::Content,
            "sti:host/plans.run": crate::handles::Run,
            "sti:host/plans.build": crate::handles::Build,
            "sti:host/plans.assembly": crate::handles::Assembly,
            "sti:host/plans.made": crate::handles::Made,
            "sti:host/requests.job": crate::handles::Job,
            "sti:host/requests.subject": crate::handles::Subject,
            "sti:host/requests.step": crate::handles::Step,
            "sti:host/requests.findings": crate::handles::Findings,
            "sti:host/requests.card": crate::handles::Card,
            "sti:host/requests.address": crate::handles::Address,
            "sti:host/blobs.blob": crate::handles::Blob,
            "sti:host/blobs.spool": crate::handles::Spool,
            "sti:host/trees.tree-writer": crate::handles::TreeWriter,
            "sti:host/trees.file-writer": crate::handles::FileWriter,
            "sti:host/http.response": crate::handles::Response,
            "sti:host/repositories.connection": crate::handles::Connection,
        },
    });
}
