package main

import (
	"context"
	"net/http"
	"os"

	"github.com/jackc/pgx/v4/pgxpool"
)

func main() {
	background := context.Background()
	pool, err := pgxpool.Connect(background, os.Getenv("DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/increment", func(answer http.ResponseWriter, _ *http.Request) {
		var value int
		err := pool.QueryRow(background, "select value from counter where id = $1", 1).Scan(&value)
		if err == nil {
			_, err = pool.Exec(background, "update counter set value = $1 where id = $2", value+1, 1)
		}
		if err != nil {
			http.Error(answer, err.Error(), 500)
		}
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
