//! One function, as a skill.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, Lit, Meta, Result, ReturnType, Signature, Type,
};

/// A function that can be asked for by name.
pub(crate) struct Skill {
    /// Its name among the skills: that of the function, in kebab-case.
    pub(crate) name: String,
    description: String,
    path: TokenStream,
    args: Box<Type>,
}

impl Skill {
    /// Reads a function that is called by `path`.
    pub(crate) fn new(
        signature: &Signature,
        attributes: &[Attribute],
        path: TokenStream,
    ) -> Result<Self> {
        let args = plain(signature).and_then(|()| arguments(signature))?;
        let description = description(attributes);
        if description.is_empty() {
            let bare = "a skill needs a doc comment: callers read it as its description";
            return Err(Error::new(signature.ident.span(), bare));
        }
        Ok(Self { name: kebab(&signature.ident), description, path, args })
    }
}

impl ToTokens for Skill {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, description, path, args } = self;
        // Said again at the type's own place, so that a missing derive is reported there.
        let fits = quote_spanned! { args.span() =>
            fn fits<T: ::envelope_sdk::__private::DeserializeOwned
                + ::envelope_sdk::__private::JsonSchema>() {}
            let _ = fits::<#args>;
        };
        tokens.extend(quote! {
            ::envelope_sdk::__private::Skill {
                name: #name,
                description: #description,
                input: || { #fits ::envelope_sdk::__private::input(#path) },
                output: || ::envelope_sdk::__private::output(#path),
                run: |ctx, args| ::envelope_sdk::__private::run(#path, ctx, args),
            }
        });
    }
}

/// Refuses what cannot be called by name.
fn plain(signature: &Signature) -> Result<()> {
    let wrong = |place: &dyn Spanned, what: &str| Err(Error::new(place.span(), what));
    if let Some(word) = &signature.asyncness {
        return wrong(word, "a skill is not `async`: calls of the host simply return");
    }
    if let Some(word) = &signature.unsafety {
        return wrong(word, "a skill is not `unsafe`");
    }
    if !signature.generics.params.is_empty() {
        return wrong(&signature.generics, "a skill has no generic parameters");
    }
    if let Some(receiver) = signature.receiver() {
        return wrong(receiver, "a skill has no `self`: every run starts from nothing");
    }
    match &signature.output {
        ReturnType::Default => wrong(&signature.ident, "a skill returns a `Result`"),
        ReturnType::Type(..) => Ok(()),
    }
}

/// The type of the arguments.
fn arguments(signature: &Signature) -> Result<Box<Type>> {
    let inputs: Vec<_> = signature.inputs.iter().collect();
    match inputs.as_slice() {
        [FnArg::Typed(ctx), FnArg::Typed(args)] if matches!(*ctx.ty, Type::Reference(_)) => {
            Ok(args.ty.clone())
        }
        _ => {
            let form = "a skill takes `ctx: &Ctx` and one struct with its arguments \
                        (`NoArgs` when there are none)";
            Err(Error::new(signature.ident.span(), form))
        }
    }
}

/// `try_all` becomes `try-all`.
fn kebab(name: &Ident) -> String {
    name.unraw().to_string().to_lowercase().trim_matches('_').replace('_', "-")
}

/// The text of a doc comment.
pub(crate) fn description(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
        pair.path.is_ident("doc").then(|| text.value())
    };
    let text = attributes.iter().filter_map(line).collect::<Vec<_>>().join("\n");
    let lines = text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_form_has_its_message() {
        let form = "a skill takes `ctx: &Ctx` and one struct with its arguments \
                    (`NoArgs` when there are none)";
        let cases = [
            (
                "async fn a(c: &Ctx, a: A) -> R {}",
                "a skill is not `async`: calls of the host simply return",
            ),
            ("unsafe fn a(c: &Ctx, a: A) -> R {}", "a skill is not `unsafe`"),
            ("fn a<T>(c: &Ctx, a: T) -> R {}", "a skill has no generic parameters"),
            ("fn a(&self, a: A) -> R {}", "a skill has no `self`: every run starts from nothing"),
            ("fn a(c: &Ctx, a: A) {}", "a skill returns a `Result`"),
            ("fn a(c: &Ctx) -> R {}", form),
            ("fn a(c: Ctx, a: A) -> R {}", form),
            ("fn a(c: &Ctx, a: A, b: B) -> R {}", form),
            (
                "fn a(c: &Ctx, a: A) -> R {}",
                "a skill needs a doc comment: callers read it as its description",
            ),
        ];
        for (function, message) in cases {
            let function: syn::ItemFn = syn::parse_str(function).unwrap();
            let error = Skill::new(&function.sig, &function.attrs, quote!(a)).err().unwrap();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn names_are_words_with_hyphens() {
        for (name, kebab_case) in [("hello", "hello"), ("try_all", "try-all"), ("r#move", "move")] {
            assert_eq!(kebab(&syn::parse_str(name).unwrap()), kebab_case);
        }
    }
}
