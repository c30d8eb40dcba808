//! `envelope paper schema`: the published shape of each document.

use clap::Args;
use envelope_terms::schema::{DOCUMENTS, Document, Unpublished, document};
use serde_json::json;

use crate::answer::{Answer, Trouble};

/// Print the JSON Schema of a document, or its Zod module for JavaScript
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper schema --list
  envelope paper schema contract > contract.schema.json
  envelope paper schema contract --zod > contract.zod.mjs")]
pub(crate) struct Schema {
    /// The document
    #[arg(default_value = "contract")]
    document: String,

    /// The Zod module instead
    #[arg(long)]
    zod: bool,

    /// The names of all documents instead
    #[arg(long, conflicts_with = "zod")]
    list: bool,
}

impl Schema {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let names: Vec<_> = DOCUMENTS.iter().map(Document::name).collect();
        if self.list {
            let page = names.iter().map(|name| format!("{name}\n")).collect::<String>();
            return Ok(Answer::page("schemas", page, json!({ "documents": names })));
        }
        let Some(document) = document(&self.document) else {
            let what = format!("there is no document `{}`", self.document);
            return Err(Trouble::usage(what, format!("there are: {}", names.join(", "))));
        };
        let failed = |why: Unpublished| Trouble::failed(why, "this is a flaw of the program");
        let (name, id) = (document.name(), document.id());
        if self.zod {
            let module = document.zod_module().map_err(failed)?;
            let data = json!({ "document": name, "id": id, "zod": module });
            return Ok(Answer::page("schema", module, data));
        }
        let schema = document.json_schema().map_err(failed)?;
        let page = document.json_schema_file().map_err(failed)?;
        let data = json!({ "document": name, "id": id, "schema": schema });
        Ok(Answer::page("schema", page, data))
    }
}
