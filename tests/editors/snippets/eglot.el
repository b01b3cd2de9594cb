(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((python-mode js-mode go-mode rust-mode java-mode c-mode c++-mode) . ("tuppence" "serve")))
  (setq eglot-confirm-server-initiated-edits nil))
