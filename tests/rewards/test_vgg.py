"""VGG11 with batch normalisation."""

import torch
from torchvision.models.vgg import cfgs, make_layers

from rewards import vgg


def test_it_has_the_parameters_of_the_published_network() -> None:
    with torch.device("meta"):
        network = vgg.build(10)
    assert sum(value.numel() for value in network.parameters()) == 28_149_514
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes["features.0.weight"] == (64, 3, 3, 3)
    assert shapes["features.26.running_var"] == (512,)
    heads = {name: shape for name, shape in shapes.items() if name.startswith("classifier")}
    assert heads == {
        "classifier.0.weight": (4096, 512),
        "classifier.0.bias": (4096,),
        "classifier.3.weight": (4096, 4096),
        "classifier.3.bias": (4096,),
        "classifier.6.weight": (10, 4096),
        "classifier.6.bias": (10,),
    }


def test_the_features_are_those_of_torchvisions_layers_with_the_same_parameters() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = vgg.build(10).eval()
        images = torch.randn(3, 3, 32, 32)
    reference = make_layers(cfgs["A"], batch_norm=True).eval()
    reference.load_state_dict(network["features"].state_dict())
    with torch.no_grad():
        pooled = vgg.features(network, images)
        assert pooled.shape == (3, vgg.NUM_FEATURES)
        torch.testing.assert_close(pooled, reference(images).flatten(1))
        assert vgg.logits(network, pooled).shape == (3, 10)
