//! The attributes of `envelope-sdk`: they turn plain functions into the skills of an agent. They
//! only arrange calls; what a call does is written in `envelope-sdk`, where it can be read.

mod expand;
mod needs;
mod skill;

use proc_macro::TokenStream;

/// Makes a function, or the `#[skill]` functions of an `impl` block, the skills of this crate's
/// agent. See `envelope-sdk`.
#[proc_macro_attribute]
pub fn agent(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::agent(&arguments.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Marks a function as a skill, inside an `impl` block marked `#[envelope_sdk::agent]`.
#[proc_macro_attribute]
pub fn skill(_arguments: TokenStream, _item: TokenStream) -> TokenStream {
    let error = "`#[skill]` stands inside an `impl` block marked `#[envelope_sdk::agent]`";
    syn::Error::new(proc_macro2::Span::call_site(), error).to_compile_error().into()
}
