"""Networks that learn from the user's own data: one loop, its losses, and fine-tuning."""
