"""What becomes of real changes in every shape in which models answer, through the real pipeline without a model."""
