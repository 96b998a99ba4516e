// Package command defines what a command is: the command table, a Request, the Question
// that answers a text which is none, and the form of a Request stored in a button. Package
// parser reads them from text. It queries no host, stores nothing and is independent of
// the chat platform.
//
// Files: table.go and derive.go hold the command table. request.go has the Request,
// question.go the Question, fields.go the form in buttons. names.go finds the processes,
// hosts and clusters of the fleet by what a person calls them.
package command
