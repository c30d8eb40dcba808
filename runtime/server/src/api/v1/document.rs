//! `/openapi.json`: the document of this API.

use super::answers;
use crate::answer::Answer;
use crate::call::Call;
use crate::openapi;
use crate::route::{Answering, Gives, Needs, Route};

pub(super) const ROUTES: &[Route] = &[Route::get(
    ("/openapi.json", "openapi"),
    "This document",
    Gives::Other("application/json"),
    get,
)
.for_whom(Needs::Nobody)];

fn get(call: Call) -> Answering {
    answers!(call, {
        let _ = &call;
        Answer::json(200, &openapi::document())
    })
}
