//! `safra promote`: the better of challenger and champion.

use crate::context::Context;
use crate::error::SafraError;
use crate::output::{line, print_json};
use crate::pipeline::promotion::{Promotion, difference, promote};

/// Compares, prints the decision, and says no (exit code 1) when the champion stays.
pub fn run(context: &Context, problem: &str, force: bool) -> Result<(), SafraError> {
    let problem = context.problem(problem)?;
    let promotion = promote(context, problem, force)?;
    if context.json {
        print_json(&promotion)?;
    } else {
        line!("{}", summary(&promotion));
    }
    let stays = promotion
        .previous_champion
        .is_some_and(|version| version != promotion.challenger);
    match !promotion.promoted && stays {
        true => Err(SafraError::No(format!(
            "version {} stays registered, the champion is unchanged",
            promotion.challenger
        ))),
        false => Ok(()),
    }
}

/// One line on the decision and its evidence.
pub fn summary(promotion: &Promotion) -> String {
    let Promotion {
        model,
        challenger,
        previous_champion,
        promoted,
        reason,
        comparison,
        ..
    } = promotion;
    let decision = match (promoted, previous_champion) {
        (true, _) => format!("version {challenger} is champion"),
        (false, Some(champion)) => format!("version {champion} stays champion"),
        (false, None) => "no champion".to_owned(),
    };
    let evidence = comparison
        .as_ref()
        .map(|comparison| format!("; difference in {} at 95 %", difference(comparison)))
        .unwrap_or_default();
    format!("{model}: {decision}: {reason}{evidence}")
}
