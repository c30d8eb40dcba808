//! The host traits of everything a guest can import, made from `host-api/wit`.

#[expect(missing_docs, reason = "generated from documented WIT")]
mod generated {
    wasmtime::component::bindgen!({
        inline: r#"
            package envelope:gate;
            world served {
                include envelope:host/imports@0.1.0;
                import wasi:cli/environment@0.2.12;
                import wasi:cli/exit@0.2.12;
                import wasi:cli/stdin@0.2.12;
                import wasi:cli/stdout@0.2.12;
                import wasi:cli/stderr@0.2.12;
                import wasi:cli/terminal-input@0.2.12;
                import wasi:cli/terminal-output@0.2.12;
                import wasi:cli/terminal-stdin@0.2.12;
                import wasi:cli/terminal-stdout@0.2.12;
                import wasi:cli/terminal-stderr@0.2.12;
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:clocks/wall-clock@0.2.12;
                import wasi:filesystem/types@0.2.12;
                import wasi:filesystem/preopens@0.2.12;
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
                import wasi:io/error@0.2.12;
                import wasi:io/poll@0.2.12;
                import wasi:io/streams@0.2.12;
                import wasi:random/random@0.2.12;
                import wasi:random/insecure@0.2.12;
                import wasi:random/insecure-seed@0.2.12;
            }
        "#,
        path: "../wit",
        imports: { default: async | trappable },
        require_store_data_send: true,
        with: {
            "wasi:filesystem/types.descriptor": crate::wasi::filesystem::Descriptor,
            "wasi:filesystem/types.directory-entry-stream": crate::wasi::filesystem::Listing,
            "wasi:http/types.fields": crate::wasi::http::Fields,
            "wasi:http/types.future-incoming-response": crate::wasi::http::Future,
            "wasi:http/types.future-trailers": crate::wasi::http::NoTrailers,
            "wasi:http/types.incoming-body": crate::wasi::http::IncomingBody,
            "wasi:http/types.incoming-request": crate::wasi::http::NoRequest,
            "wasi:http/types.incoming-response": crate::wasi::http::IncomingResponse,
            "wasi:http/types.outgoing-body": crate::wasi::http::OutgoingBody,
            "wasi:http/types.outgoing-request": crate::wasi::http::OutgoingRequest,
            "wasi:http/types.outgoing-response": crate::wasi::http::OutgoingResponse,
            "wasi:http/types.request-options": crate::wasi::http::RequestOptions,
            "wasi:http/types.response-outparam": crate::wasi::http::NoOutparam,
            "wasi:io/poll.pollable": wasmtime_wasi_io::poll::DynPollable,
            "wasi:io/streams.input-stream": wasmtime_wasi_io::streams::DynInputStream,
            "wasi:io/streams.output-stream": wasmtime_wasi_io::streams::DynOutputStream,
            "wasi:io/error.error": wasmtime_wasi_io::streams::Error,
            "wasi:cli/terminal-input.terminal-input": crate::wasi::cli::NoTerminal,
            "wasi:cli/terminal-output.terminal-output": crate::wasi::cli::NoTerminal,
            "envelope:host/model.answer-stream": crate::host::AnswerStream,
        },
    });
}

pub use generated::envelope;
pub use generated::wasi;
