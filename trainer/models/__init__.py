"""One file an architecture; each file offers a Generator and a Discriminator."""
