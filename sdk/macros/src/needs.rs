//! What the attribute says that an agent would need from outside.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, LitStr, MetaNameValue, Result, Token};

/// The needs, as they are written: `net = ["GET https://…"], models = ["…"]`.
#[derive(Default)]
pub(crate) struct Needs {
    net: Option<Vec<LitStr>>,
    models: Option<Vec<LitStr>>,
    read: Option<Vec<LitStr>>,
    outputs: Option<LitStr>,
}

impl Needs {
    /// Reads the arguments of the attribute.
    pub(crate) fn read(arguments: &TokenStream) -> Result<Self> {
        let parser = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
        let form = "an agent says what it needs as `net = [..]`, `models = [..]`, `read = [..]` \
                    and `outputs = \"..\"`";
        let pairs = parser.parse2(arguments.clone());
        let pairs = pairs.map_err(|_| Error::new(arguments.span(), form))?;
        let mut needs = Self::default();
        for MetaNameValue { path, value, .. } in pairs {
            let name = path.get_ident().map(ToString::to_string).unwrap_or_default();
            let new = match name.as_str() {
                "net" => needs.net.replace(texts(&value)?).is_none(),
                "models" => needs.models.replace(texts(&value)?).is_none(),
                "read" => needs.read.replace(texts(&value)?).is_none(),
                "outputs" => needs.outputs.replace(text(&value)?).is_none(),
                _ => return Err(Error::new(path.span(), form)),
            };
            if !new {
                return Err(Error::new(path.span(), format!("`{name}` is said twice")));
            }
        }
        Ok(needs)
    }
}

impl ToTokens for Needs {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let list = |texts: &Option<Vec<LitStr>>| {
            let texts = texts.iter().flatten();
            quote!(&[#(#texts),*])
        };
        let (net, models, read) = (list(&self.net), list(&self.models), list(&self.read));
        let outputs = match &self.outputs {
            Some(prefix) => quote!(::core::option::Option::Some(#prefix)),
            None => quote!(::core::option::Option::None),
        };
        tokens.extend(quote! {
            ::envelope_sdk::__private::Needs {
                net: #net, models: #models, read: #read, outputs: #outputs,
            }
        });
    }
}

fn texts(value: &Expr) -> Result<Vec<LitStr>> {
    let Expr::Array(array) = value else {
        return Err(Error::new(value.span(), "this is a list of texts: `[\"..\"]`"));
    };
    array.elems.iter().map(text).collect()
}

fn text(value: &Expr) -> Result<LitStr> {
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value else {
        return Err(Error::new(value.span(), "this is a text: `\"..\"`"));
    };
    Ok(text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> std::result::Result<String, String> {
        let needs = Needs::read(&arguments.parse().unwrap()).map_err(|why| why.to_string())?;
        Ok(needs.to_token_stream().to_string())
    }

    #[test]
    fn needs_are_lists_of_texts() {
        let none = read("").unwrap();
        assert!(none.contains("net : & []") && none.contains("None"), "{none}");
        let some = read(r#"models = ["a/b", "c/d"], outputs = "out/","#).unwrap();
        assert!(some.contains(r#"models : & ["a/b" , "c/d"]"#), "{some}");
        assert!(some.contains(r#"Some ("out/")"#), "{some}");
    }

    #[test]
    fn what_is_no_need_is_told() {
        let form = "an agent says what it needs as `net = [..]`, `models = [..]`, `read = [..]` \
                    and `outputs = \"..\"`";
        for (arguments, message) in [
            ("name", form),
            ("hosts = [\"a\"]", form),
            ("net = \"GET https://a/\"", "this is a list of texts: `[\"..\"]`"),
            ("net = [7]", "this is a text: `\"..\"`"),
            ("outputs = [\"out/\"]", "this is a text: `\"..\"`"),
            ("net = [], net = []", "`net` is said twice"),
        ] {
            assert_eq!(read(arguments), Err(message.to_owned()), "{arguments}");
        }
    }
}
