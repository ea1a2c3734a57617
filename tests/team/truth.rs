//! The true figures beside the published ones, on servers whose every delay is known.

use crate::place::{Place, ran, tokens, truth};
use tare::team::Scenario;

#[test]
fn two_equal_agents_on_two_servers_with_a_gpu_each_lose_tare_and_nothing_else() {
    let place = Place::new();
    let servers = place.servers(2, 1);
    let spec = place.team(Scenario::Equal, &servers);
    let run = ran(&spec).record;
    println!("{}", serde_json::to_string_pretty(&run).expect("JSON"));
    assert_eq!(tokens(&run), [120, 120]);
    let truth = truth(&run);
    assert_eq!(truth.servers.get(), 2);
}
