"""What is shown and exported: words, charts with the sentence and the table behind them, documents."""
