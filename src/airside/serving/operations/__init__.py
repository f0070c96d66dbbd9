"""The verbs of the room `serving`, one file for each noun."""

from airside.core.operation import AnyOperation
from airside.serving.operations import deliveries, endpoints, predictions, rollouts

OPERATIONS: tuple[AnyOperation, ...] = (
    endpoints.create_endpoint,
    endpoints.get_endpoint,
    endpoints.list_endpoints,
    endpoints.update_endpoint,
    endpoints.deploy,
    endpoints.follow_champion,
    endpoints.pause_endpoint,
    endpoints.delete_endpoint,
    endpoints.routing,
    rollouts.get_rollout,
    rollouts.list_rollouts,
    rollouts.tick_rollout,
    rollouts.promote_rollout,
    rollouts.rollback_rollout,
    rollouts.pause_rollout,
    rollouts.acknowledge_rollout,
    predictions.append_predictions,
    predictions.get_prediction,
    predictions.list_batches,
    predictions.label_predictions,
    predictions.get_truths,
    deliveries.complete_delivery,
    deliveries.list_deliveries,
)
