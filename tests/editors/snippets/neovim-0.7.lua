vim.api.nvim_create_autocmd("FileType", {
  pattern = { "python", "javascript", "typescript", "go", "rust", "java", "c", "cpp" },
  callback = function(args)
    tuppence_client = tuppence_client or vim.lsp.start_client({
      name = "tuppence",
      cmd = { "tuppence", "serve" },
      root_dir = vim.fn.getcwd(),
    })
    vim.lsp.buf_attach_client(args.buf, tuppence_client)
  end,
})
