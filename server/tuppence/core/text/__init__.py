"""Text as editors and providers see it: documents, spans, lines, differences."""
