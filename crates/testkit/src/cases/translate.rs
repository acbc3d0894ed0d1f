//! Cases about `translate`.

use wissel_model::MessageId;

use crate::case::Need::{Account, Folder, Messages, Operation};
use crate::case::{Answer, Case, Outcome, Stop, expect};
use crate::sample::Sample;
use crate::stage::Stage;

pub(super) const CASES: &[Case] = &[Case {
    name: "translate/there-and-back",
    demands: "Ids that are translated into another form and back are the same, in the order asked for; an id that names \
              no message has none.",
    rule: "email-account.wit: translate",
    hint: "One answer for each id, in order. The first of `idForms` is the form of the ids that are listed.",
    needs: &[Account, Operation("translate"), Operation("list-messages"), Folder, Messages],
    run: |stage| Box::pin(there_and_back(stage)),
}];

async fn there_and_back(stage: &mut Stage) -> Outcome {
    let forms = stage.description.id_forms.clone();
    let [own, others @ ..] = forms.as_slice() else {
        return Err(Stop::NotApplicable("no idForms are declared".to_owned()));
    };
    let (_, mut session, ids) = stage.set_up(&Sample::series(3)).await?;
    for other in others {
        let strange = MessageId::from("wissel-conformance-no-such-message");
        let asked: Vec<MessageId> = ids.iter().cloned().chain([strange]).collect();
        let there = session.translate(&asked, own, other).await.works("translate")?;
        expect(there.len() == asked.len(), format!("{} answers", asked.len()), || there.len().to_string())?;
        expect(there.last().is_some_and(Option::is_none), "none for an unknown id", || format!("{there:?}"))?;
        let known: Vec<MessageId> = there.into_iter().flatten().collect();
        let back = session.translate(&known, other, own).await.works("translate, back")?;
        let back: Vec<MessageId> = back.into_iter().flatten().collect();
        expect(back == ids, format!("the same ids by way of {other}"), || format!("{back:?}"))?;
    }
    session.close().await;
    Ok(())
}
