//! From an item to the same item with an agent beside it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Error, ImplItem, ItemFn, ItemImpl, Result};

use crate::needs::Needs;
use crate::skill::{Skill, description};

/// Expands the attribute.
pub(crate) fn agent(arguments: &TokenStream, item: TokenStream) -> Result<TokenStream> {
    let needs = Needs::read(arguments)?;
    let span = item.span();
    if let Ok(function) = syn::parse2(item.clone()) {
        of_function(&function, &needs)
    } else if let Ok(block) = syn::parse2(item) {
        of_block(block, &needs)
    } else {
        Err(Error::new(span, "an agent is a function or an `impl` block of skills"))
    }
}

fn of_function(function: &ItemFn, needs: &Needs) -> Result<TokenStream> {
    let name = &function.sig.ident;
    let skill = Skill::new(&function.sig, &function.attrs, quote!(#name))?;
    let agent = table(&[skill], &function.attrs, needs);
    Ok(quote! { #function #agent })
}

fn of_block(mut block: ItemImpl, needs: &Needs) -> Result<TokenStream> {
    if let Some((_, interface, _)) = &block.trait_ {
        return Err(Error::new(interface.span(), "skills stand in an `impl` of no trait"));
    }
    if !block.generics.params.is_empty() {
        return Err(Error::new(block.generics.span(), "an agent has no generic parameters"));
    }
    let owner = block.self_ty.clone();
    let mut skills: Vec<Skill> = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let marks = function.attrs.len();
        function.attrs.retain(|attribute| !is_mark(attribute));
        if function.attrs.len() == marks {
            continue;
        }
        let name = &function.sig.ident;
        let skill = Skill::new(&function.sig, &function.attrs, quote!(<#owner>::#name))?;
        if skills.iter().any(|other| other.name == skill.name) {
            let twice = format!("there are two skills `{}`", skill.name);
            return Err(Error::new(name.span(), twice));
        }
        skills.push(skill);
    }
    if skills.is_empty() {
        return Err(Error::new(block.self_ty.span(), "no function here is marked `#[skill]`"));
    }
    let agent = table(&skills, &block.attrs, needs);
    Ok(quote! { #block #agent })
}

/// `#[skill]`, however it is spelled.
fn is_mark(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "skill")
}

/// The agent itself: a static table, and the component's exports, which read it.
fn table(skills: &[Skill], attributes: &[Attribute], needs: &Needs) -> TokenStream {
    let told = description(attributes);
    let skills = skills.iter().map(ToTokens::to_token_stream);
    quote! {
        /// The agent of this crate.
        pub static AGENT: ::envelope_sdk::Agent = ::envelope_sdk::Agent {
            name: ::core::env!("CARGO_PKG_NAME"),
            version: ::core::env!("CARGO_PKG_VERSION"),
            description: if ::core::env!("CARGO_PKG_DESCRIPTION").is_empty() {
                #told
            } else {
                ::core::env!("CARGO_PKG_DESCRIPTION")
            },
            skills: &[#(#skills),*],
            needs: #needs,
        };

        const _: &::envelope_sdk::Agent = &AGENT;

        #[cfg(target_family = "wasm")]
        const _: () = {
            use ::envelope_sdk::__private as sdk;

            struct Component;

            impl sdk::Guest for Component {
                fn describe() -> ::std::string::String {
                    AGENT.card()
                }

                fn invoke(
                    skill: ::std::string::String,
                    args: ::std::string::String,
                ) -> ::std::result::Result<::std::string::String, sdk::Failure> {
                    let result = AGENT.invoke(&::envelope_sdk::Ctx::sandbox(), &skill, &args);
                    result.map_err(::core::convert::Into::into)
                }
            }

            sdk::export!(Component with_types_in ::envelope_sdk::__private::bindings);
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(item: &str) -> String {
        let expanded = agent(&TokenStream::new(), item.parse().unwrap());
        expanded.map_or_else(|error| format!("error: {error}"), |tokens| tokens.to_string())
    }

    #[test]
    fn a_skill_is_named_after_its_function_and_told_by_its_comment() {
        let text =
            expanded("/// Tries\n/// all.\nfn try_all(ctx: &Ctx, a: A) -> Result<B> { b() }");
        assert!(text.contains(r#"name : "try-all""#), "{text}");
        assert!(text.contains(r#"description : "Tries\nall.""#), "{text}");
    }

    #[test]
    fn the_marks_are_taken_off_and_other_functions_left_alone() {
        let text = expanded(
            "impl Desk { /// Q. \n #[skill] fn q(c: &Ctx, a: A) -> R { b() } fn other(&self) {} }",
        );
        assert!(!text.contains("# [skill]") && text.contains("fn other"), "{text}");
        assert!(text.contains("< Desk > :: q"), "{text}");
    }

    #[test]
    fn wrong_items_are_told_what_is_wrong() {
        let cases = [
            ("struct A;", "an agent is a function or an `impl` block of skills"),
            ("impl A { fn a() {} }", "no function here is marked `#[skill]`"),
            ("impl Clone for A {}", "skills stand in an `impl` of no trait"),
            ("impl<T> A<T> {}", "an agent has no generic parameters"),
            (
                "impl A { /// A. \n #[skill] fn a(c: &Ctx, a: A) -> R {} \
                 /// A. \n #[skill] fn r#a_(c: &Ctx, a: A) -> R {} }",
                "there are two skills `a`",
            ),
        ];
        for (item, message) in cases {
            assert_eq!(expanded(item), format!("error: {message}"));
        }
        let error = agent(&"name".parse().unwrap(), "fn a() {}".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("an agent says what it needs"), "{error}");
    }
}
