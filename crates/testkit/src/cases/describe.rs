//! Cases about the description alone. The schema's own rules are checked with the schema.

use std::collections::BTreeSet;

use serde_json::Value;
use wissel_model::description::SettingKind;
use wissel_model::settings;

use crate::case::{Answer, Case, Outcome, expect, failed};
use crate::plausible;
use crate::stage::Stage;

const SCHEMA: &str = include_str!("../../../../wit/description.schema.json");

const RULE: &str = "description.schema.json";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "describe/schema",
        demands: "The description is valid against the schema of the contract.",
        rule: RULE,
        hint: "The failure names the member as a JSON pointer; compare it with the schema.",
        needs: &[],
        run: |stage| Box::pin(schema(stage)),
    },
    Case {
        name: "describe/stable",
        demands: "`describe` always returns the same text.",
        rule: "email-account.wit: describe",
        hint: "Leave times, random numbers and the iteration order of hash maps out of the description.",
        needs: &[],
        run: |stage| Box::pin(stable(stage)),
    },
    Case {
        name: "describe/texts",
        demands: "Every text for people is there in English and Dutch.",
        rule: RULE,
        hint: "Give each title, label, help and advice the members `en` and `nl`, neither of them empty.",
        needs: &[],
        run: |stage| Box::pin(texts(stage)),
    },
    Case {
        name: "describe/form",
        demands: "A form can be made of the settings: filled in as they describe themselves, they make an account.",
        rule: RULE,
        hint: "Defaults and choices must keep the setting's own rules; values of a choice differ; every setting that \
               must be filled in has a help text.",
        needs: &[],
        run: |stage| Box::pin(form(stage)),
    },
    Case {
        name: "describe/sign-in",
        demands: "Each auth method has an endpoint that its credential may go to, and says who signs in.",
        rule: RULE,
        hint: "List the method's id under `authenticate` of an endpoint, and give it a `user`.",
        needs: &[],
        run: |stage| Box::pin(sign_in(stage)),
    },
    Case {
        name: "describe/operations",
        demands: "The declared operations can be used: `translate` comes with two id formats, moving with a way to name \
                  folders, and changing messages with a way to list them.",
        rule: "email-account.wit: email-account",
        hint: "Declare what works, and the operations that it cannot be used without.",
        needs: &[],
        run: |stage| Box::pin(operations(stage)),
    },
    Case {
        name: "describe/limits",
        demands: "Limits are such that work can be done within them.",
        rule: RULE,
        hint: "Leave a limit out rather than setting it to 0.",
        needs: &[],
        run: |stage| Box::pin(limits(stage)),
    },
];

/// The description as JSON, members without a value left out.
fn document(stage: &Stage) -> Value {
    let mut document = serde_json::to_value(&*stage.description).unwrap_or_default();
    strip(&mut document);
    document
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // An optional text or number that is absent is null, or empty, in the typed form.
            members
                .retain(|_, member| !member.is_null() && !member.as_object().is_some_and(|m| m.is_empty()));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

async fn schema(stage: &mut Stage) -> Outcome {
    let schema: Value = match serde_json::from_str(SCHEMA) {
        Ok(schema) => schema,
        Err(error) => return failed("the kit's own schema is JSON", error.to_string()),
    };
    let validator = match jsonschema::validator_for(&schema) {
        Ok(validator) => validator,
        Err(error) => return failed("the kit's own schema can be used", error.to_string()),
    };
    let mut document = document(stage);
    // Taken out when it was empty.
    if let Some(members) = document.as_object_mut() {
        members.entry("limits").or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    let problems: Vec<String> =
        validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    expect(problems.is_empty(), "a valid description", || problems.join("; "))
}

async fn stable(stage: &mut Stage) -> Outcome {
    let name = &stage.subject.account.connector;
    let again = stage.subject.connectors.description(name).await.works("describe, the second time")?;
    expect(*again == *stage.description, "the same description twice", || "another description".to_owned())
}

async fn texts(stage: &mut Stage) -> Outcome {
    let mut missing = Vec::new();
    look_for_texts(&document(stage), "", &mut missing);
    expect(missing.is_empty(), "`en` and `nl` in every text", || missing.join(", "))
}

fn look_for_texts(value: &Value, at: &str, missing: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let at = format!("{at}/{key}");
                let is_text = matches!(key.as_str(), "title" | "label" | "help" | "text" | "advice");
                if is_text && member.is_object() {
                    let said = |tag: &str| member.get(tag).and_then(Value::as_str).unwrap_or_default().trim();
                    missing.extend(
                        ["en", "nl"]
                            .iter()
                            .filter(|tag| said(tag).is_empty())
                            .map(|tag| format!("{at}/{tag}")),
                    );
                } else {
                    look_for_texts(member, &at, missing);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look_for_texts(item, &format!("{at}/{index}"), missing);
            }
        }
        _ => {}
    }
}

async fn form(stage: &mut Stage) -> Outcome {
    let description = &stage.description;
    let mut problems = Vec::new();
    let mut keys = BTreeSet::new();
    for setting in &description.settings {
        let key = &setting.key;
        if !keys.insert(key) {
            problems.push(format!("setting '{key}' is there twice"));
        }
        let values: BTreeSet<&str> = setting.choices.iter().map(|choice| choice.value.as_str()).collect();
        if values.len() < setting.choices.len() {
            problems.push(format!("setting '{key}' has a choice twice"));
        }
        if setting.kind == SettingKind::Choice && setting.choices.is_empty() {
            problems.push(format!("setting '{key}' has nothing to choose from"));
        }
        if setting.required && setting.default.is_none() && setting.help.get("en").trim().is_empty() {
            problems.push(format!("setting '{key}' must be filled in and has no help"));
        }
        if setting.min.zip(setting.max).is_some_and(|(min, max)| min > max) {
            problems.push(format!("setting '{key}' allows no number"));
        }
        let defaults = setting.default.iter().chain(setting.defaults_when.iter().map(|other| &other.value));
        for default in defaults {
            if let Err(problem) = settings::check(setting, default) {
                problems.push(format!("the default of setting '{key}' {problem}"));
            }
        }
    }
    // A pattern of its own may refuse a made-up value; that is no fault.
    let made_up = plausible::account(description);
    if let Err(errors) = settings::of_account(description, &made_up) {
        let patterned = |key: &str| description.setting(key).is_some_and(|s| s.pattern.is_some());
        problems.extend(errors.iter().filter(|error| !patterned(&error.key)).map(ToString::to_string));
    }
    expect(problems.is_empty(), "settings that a form can be made of", || problems.join("; "))
}

async fn sign_in(stage: &mut Stage) -> Outcome {
    let description = &stage.description;
    expect(!description.auth.is_empty(), "an auth method at least", || "none".to_owned())?;
    let mut problems = Vec::new();
    for method in &description.auth {
        if !description.endpoints.iter().any(|endpoint| endpoint.authenticate.contains(&method.id)) {
            problems.push(format!("no endpoint takes the credential of '{}'", method.id));
        }
        if method.user.as_deref().unwrap_or_default().is_empty() {
            problems.push(format!("'{}' does not say who signs in", method.id));
        }
    }
    expect(problems.is_empty(), "auth methods that can be used", || problems.join("; "))
}

async fn operations(stage: &mut Stage) -> Outcome {
    let mut problems = Vec::new();
    let together = [
        ("fetch", &["list-messages"][..]),
        ("list-messages", &["folders", "find-folder"]),
        ("changes", &["list-messages"]),
        ("move-messages", &["list-messages", "find-folder"]),
        ("mark-messages", &["list-messages"]),
        ("delete-messages", &["list-messages"]),
        ("wait", &["find-folder", "folders"]),
    ];
    for (operation, needed) in together {
        if stage.supports(operation) && !needed.iter().any(|other| stage.supports(other)) {
            problems.push(format!("'{operation}' is declared without {}", needed.join(" or ")));
        }
    }
    if stage.supports("translate") && stage.description.id_forms.len() < 2 {
        problems.push("'translate' is declared with fewer than two idForms".to_owned());
    }
    expect(problems.is_empty(), "operations that can be used together", || problems.join("; "))
}

async fn limits(stage: &mut Stage) -> Outcome {
    let limits = &stage.description.limits;
    let zero = [
        ("parallelSessions", limits.parallel_sessions.map(u64::from)),
        ("parallelRequests", limits.parallel_requests.map(u64::from)),
        ("requestsPerMinute", limits.requests_per_minute.map(u64::from)),
        (
            "requestRates",
            limits.request_rates.iter().map(|rate| rate.requests.min(rate.seconds).into()).min(),
        ),
        ("largestMessage", limits.largest_message),
        ("fetchBatch", limits.fetch_batch.map(u64::from)),
    ];
    let zero: Vec<&str> = zero.iter().filter(|(_, limit)| *limit == Some(0)).map(|(name, _)| *name).collect();
    expect(zero.is_empty(), "limits above 0", || format!("{} is 0", zero.join(", ")))
}
