//! What becomes of a delivered message in the mailbox: moved, marked, deleted or left.

use wissel_model::{
    ConnectorError, ErrorKind, Folder, MessageId, MessageKey, Outcome, ProcessedAction, Session,
};

/// What came of acting on a group of messages.
#[derive(Debug, Default)]
pub(crate) struct Acted {
    /// Messages that are as the job wants them.
    pub(crate) done: Vec<MessageKey>,
    /// Messages that the connector says are done, without where they are now: they need not be where the job wants them. A
    /// person may have moved them before.
    pub(crate) unproven: Vec<MessageKey>,
    /// How many are not.
    pub(crate) left: usize,
    /// The first failure.
    pub(crate) failure: Option<ConnectorError>,
}

/// The operation of the contract that an action needs.
pub(crate) fn operation(action: ProcessedAction) -> Option<&'static str> {
    match action {
        ProcessedAction::Move => Some("move-messages"),
        ProcessedAction::MarkRead => Some("mark-messages"),
        ProcessedAction::Delete => Some("delete-messages"),
        ProcessedAction::Leave => None,
    }
}

/// The past participle for a sentence such as "could not be moved".
pub(crate) fn participle(action: ProcessedAction) -> &'static str {
    match action {
        ProcessedAction::Move => "moved",
        ProcessedAction::MarkRead => "marked as read",
        ProcessedAction::Delete => "deleted",
        ProcessedAction::Leave => "left",
    }
}

/// Acts on messages that are delivered and recorded. `again` says that an earlier run may have got half-way.
pub(crate) async fn act(
    session: &mut dyn Session,
    action: ProcessedAction,
    processed: Option<&Folder>,
    messages: &[(MessageKey, MessageId)],
    again: bool,
) -> Acted {
    let ids: Vec<MessageId> = messages.iter().map(|(_, id)| id.clone()).collect();
    let outcomes = match (action, processed) {
        _ if ids.is_empty() => Ok(Vec::new()),
        (ProcessedAction::Leave, _) => Ok(ids.iter().map(done).collect()),
        (ProcessedAction::MarkRead, _) => session.mark_messages(&ids, true).await,
        (ProcessedAction::Delete, _) => session.delete_messages(&ids).await,
        (ProcessedAction::Move, Some(folder)) => session.move_messages(&ids, &folder.id, again).await,
        (ProcessedAction::Move, None) => {
            Err(ConnectorError::new(ErrorKind::NotFound, "the processed folder is missing"))
        }
    };
    match outcomes {
        Ok(outcomes) => sum_up(messages, outcomes, again),
        Err(error) => Acted { left: messages.len(), failure: Some(error), ..Acted::default() },
    }
}

fn done(message: &MessageId) -> Outcome {
    Outcome { message: message.clone(), new_id: None, failure: None }
}

/// A message without an outcome was not attempted. One that cannot be found is as good as done only when an earlier run
/// may have dealt with it and its id is known to be good; in the run that delivered it, it is its folder that changed.
fn sum_up(messages: &[(MessageKey, MessageId)], outcomes: Vec<Outcome>, again: bool) -> Acted {
    let mut acted = Acted::default();
    for (key, id) in messages {
        let Some(outcome) = outcomes.iter().find(|o| o.message == *id) else { continue };
        match &outcome.failure {
            None if outcome.new_id.is_some() => acted.done.push(*key),
            None => acted.unproven.push(*key),
            Some(error) if again && error.kind == ErrorKind::NotFound => acted.unproven.push(*key),
            Some(error) => acted.failure = acted.failure.or_else(|| Some(error.clone())),
        }
    }
    acted.left = messages.len() - acted.done.len() - acted.unproven.len();
    if acted.left > 0 && acted.failure.is_none() {
        let unsaid = "the connector did not say what became of some messages";
        acted.failure = Some(ConnectorError::new(ErrorKind::Temporary, unsaid));
    }
    acted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gone_is_done_the_second_time_and_unattempted_is_not() {
        let messages: Vec<(MessageKey, MessageId)> =
            ["a", "b", "c", "d"].into_iter().map(|id| (MessageKey::generate(), id.into())).collect();
        let failed = |id: &str, kind| Outcome {
            message: id.into(),
            new_id: None,
            failure: Some(ConnectorError::new(kind, "no")),
        };
        let mut outcomes = vec![
            done(&"a".into()),
            failed("b", ErrorKind::NotFound),
            failed("c", ErrorKind::PermissionMissing),
        ];
        assert_eq!(sum_up(&messages, outcomes.clone(), false).unproven, [messages[0].0]);
        let mut acted = sum_up(&messages, outcomes.clone(), true);
        assert_eq!((&acted.unproven[..], acted.left), (&[messages[0].0, messages[1].0][..], 2));
        outcomes[0].new_id = Some("n".into());
        acted = sum_up(&messages, outcomes, true);
        assert_eq!((&acted.done[..], &acted.unproven[..]), (&[messages[0].0][..], &[messages[1].0][..]));
        assert_eq!(acted.failure.unwrap().kind, ErrorKind::PermissionMissing);
    }
}
