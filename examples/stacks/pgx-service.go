package main

import (
	"context"
	"net/http"
	"os"

	"github.com/jackc/pgx/v4"
)

func increment(request context.Context) error {
	db, err := pgx.Connect(request, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer db.Close(request)
	var value int
	if err := db.QueryRow(request, "select value from counter where id = $1", 1).Scan(&value); err != nil {
		return err
	}
	_, err = db.Exec(request, "update counter set value = $1 where id = $2", value+1, 1)
	return err
}

func main() {
	http.HandleFunc("/increment", func(answer http.ResponseWriter, request *http.Request) {
		if err := increment(request.Context()); err != nil {
			http.Error(answer, err.Error(), 500)
		}
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
