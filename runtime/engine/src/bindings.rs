//! The exports of the shapes a component can have.

mod generated {
    pub(crate) mod agent {
        wasmtime::component::bindgen!({
            inline: "package envelope:engine; world agent { export envelope:host/skills@0.1.0; }",
            path: "../../host-api/wit",
            exports: { default: async },
            require_store_data_send: true,
        });
    }

    pub(crate) mod command {
        wasmtime::component::bindgen!({
            inline: "package envelope:engine; world command { export wasi:cli/run@0.2.12; }",
            path: "../../host-api/wit",
            exports: { default: async },
            require_store_data_send: true,
        });
    }
}

pub(crate) use generated::agent::AgentPre;
pub(crate) use generated::agent::exports::envelope::host::skills::Failure;
pub(crate) use generated::command::CommandPre;
